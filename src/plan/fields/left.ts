/**
 * Fields that a release applies and somebody else decides: replicas under an autoscaler, and what an environment has
 * leased. They are left as they are by applying, planning, drift, repair and rollback.
 */
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { digestOf } from '../digest.ts';
import { treeOf } from '../inputs/helm-marks.ts';
import { kubernetesDocuments, kubernetesText } from '../inputs/kubernetes-yaml.ts';
import { entryPart, fitsPattern, listKeys, type Part, type Path, valueAtPath } from './path.ts';

export interface LeftField {
  kind: string;
  /** Absent: in whatever namespace, or of the cluster as a whole. */
  namespace?: string | undefined;
  name: string;
  /** Pattern such as `spec.replicas`, as `drift.ignore` has them. */
  field: string;
  /** Who decides, for people: `HorizontalPodAutoscaler shop/api`. */
  owner: string;
}

export const REPLICAS = 'spec.replicas';

/** @param autoscalers live HorizontalPodAutoscalers; KEDA makes one for each of its ScaledObjects */
export function autoscaledFields(autoscalers: readonly unknown[]): LeftField[] {
  return autoscalers.flatMap((object): LeftField[] => {
    const { kind, name } = treeOf(valueAtPath(object, ['spec', 'scaleTargetRef']));
    const [namespace, own] = [
      valueAtPath(object, ['metadata', 'namespace']),
      valueAtPath(object, ['metadata', 'name']),
    ];
    if (typeof kind !== 'string' || typeof name !== 'string' || typeof namespace !== 'string') return [];
    // One that is going decides nothing any more.
    if (valueAtPath(object, ['metadata', 'deletionTimestamp'])) return [];
    return [{ kind, namespace, name, field: REPLICAS, owner: `HorizontalPodAutoscaler ${namespace}/${String(own)}` }];
  });
}

/** @param leases as the environment's file has them */
export function leasedFields(
  leases: readonly { kind: string; namespace?: string | undefined; name: string; path: string; owner: string }[],
): LeftField[] {
  return leases.map(({ kind, namespace, name, path, owner }) => ({ kind, namespace, name, field: path, owner }));
}

/** @param namespace of the object; the release's where it does not say one */
export function leftOf(
  left: readonly LeftField[],
  object: { kind: string; namespace?: string | undefined; name: string },
): LeftField[] {
  return left.filter(
    ({ kind, namespace, name }) =>
      kind === object.kind && name === object.name && (namespace === undefined || namespace === object.namespace),
  );
}

/** Who decides a field or something that holds it; undefined where it is nobody but the release. */
export function ownerOfField(left: readonly LeftField[], path: Path): string | undefined {
  return left.find(({ field }) => path.some((_part, at) => fitsPattern(field, path.slice(0, at + 1))))?.owner;
}

/** Every place in the object that the pattern fits, the outermost ones. */
export function placesOf(object: unknown, pattern: string, path: Path = []): Path[] {
  if (path.length > 0 && fitsPattern(pattern, path)) return [path];
  return childrenOf(object, path).flatMap(([part, value]) => placesOf(value, pattern, [...path, part]));
}

function childrenOf(value: unknown, path: Path): [Part, unknown][] {
  if (isTree(value)) return Object.entries(value);
  if (!Array.isArray(value)) return [];
  const keys = listKeys(path);
  return value.map((entry: unknown, index): [Part, unknown] => [(keys && entryPart(entry, keys)) ?? { index }, entry]);
}

/** A copy in which what is left is as it is now: gone where it is not there, and otherwise of the live value. */
export function withLiveFields(object: Tree, live: unknown, left: readonly LeftField[]): Tree {
  const copy = structuredClone(object);
  for (const path of left.flatMap(({ field }) => placesOf(object, field))) put(copy, path, valueAtPath(live, path));
  return copy;
}

/**
 * A manifest without what is left: Helm neither sets nor claims it. Documents that hold none of it stay byte for byte.
 * @param namespace the release's, for objects that say none
 */
export function withoutLeftFields(manifest: string, left: readonly LeftField[], namespace: string): string {
  const names = [...new Set(left.map(({ name }) => name))];
  return manifest
    .split(/^(?=---(?:\s|$))/m)
    .map((document) =>
      names.some((name) => document.includes(name)) ? withoutLeft(document, left, namespace) : document,
    )
    .join('');
}

function withoutLeft(text: string, left: readonly LeftField[], namespace: string): string {
  const object: unknown = kubernetesDocuments(text)[0]?.toJS();
  if (!isTree(object) || typeof object['kind'] !== 'string') return text;
  const metadata = treeOf(object['metadata']);
  const own = leftOf(left, {
    kind: object['kind'],
    name: String(metadata['name']),
    namespace: typeof metadata['namespace'] === 'string' ? metadata['namespace'] : namespace,
  });
  const places = own.flatMap(({ field }) => placesOf(object, field));
  if (places.length === 0) return text;
  const copy = structuredClone(object);
  // What is further back in a list goes first.
  for (const path of places.toReversed()) put(copy, path, undefined);
  const source = /^# Source: .*$/m.exec(text)?.[0];
  return `---\n${source === undefined ? '' : `${source}\n`}${kubernetesText(copy)}`;
}

/** @param value undefined: taken away */
function put(object: Tree, path: Path, value: unknown): void {
  const holder = valueAtPath(object, path.slice(0, -1));
  const part = path.at(-1);
  if (typeof part === 'string' && isTree(holder)) {
    if (value === undefined) Reflect.deleteProperty(holder, part);
    else holder[part] = value;
  }
  if (part === undefined || typeof part === 'string' || !Array.isArray(holder)) return;
  const at = holder.indexOf(valueAtPath(holder, [part]));
  if (at >= 0) holder.splice(at, 1, ...(value === undefined ? [] : [value]));
}

const MARK = 6;
/** As many as a label of 63 characters holds. */
const MOST = 9;
/** Where nothing was left. */
const NOTHING = 'none';

/** Identifies a field that was left: six characters of a digest. */
export function markOf({ kind, namespace = '', name, field }: LeftField): string {
  return digestOf([kind, namespace, name, field]).slice(0, MARK);
}

/** For a label of the revision, which records what it left to others. */
export function leftLabel(left: readonly LeftField[]): string {
  return left.length === 0 ? NOTHING : left.slice(0, MOST).map(markOf).join('.');
}

export function marksOf(label: string | undefined): string[] {
  return label === undefined || label === NOTHING ? [] : label.split('.');
}
