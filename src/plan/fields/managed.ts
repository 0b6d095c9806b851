/** Who wrote which field, as the API server keeps it in `metadata.managedFields`. */
import { z } from 'zod';
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { isWithin, type Part, type Path, valueAtPath } from './path.ts';

const entrySchema = z.object({
  manager: z.string().default(''),
  operation: z.string().default(''),
  /** Version of the API that it was written through. */
  apiVersion: z.string().optional(),
  time: z.string().nullish(),
  subresource: z.string().nullish(),
  fieldsV1: z.record(z.string(), z.unknown()).nullish(),
});
export type ManagedEntry = z.infer<typeof entrySchema>;

/** Parts of Kubernetes itself: what they write is no drift. `kwok` acts as the kubelet on simulated nodes. */
const SYSTEM =
  /^(kube-(apiserver|controller-manager|scheduler|proxy)|kubelet|kwok(ctl)?|cloud-controller-manager|clusterrole-aggregation-controller|ananta-deploy)$/;
/** In whose name Helm applies. */
export const HELM_MANAGER = 'helm';

/** Empty where the server keeps no such record. */
export function managedEntries(object: unknown): ManagedEntry[] {
  const found = z.array(entrySchema).safeParse(valueAtPath(object, ['metadata', 'managedFields']));
  return found.success ? found.data : [];
}

/** Written by Kubernetes itself or by the deployer, not by somebody. */
export function isSystem({ manager, subresource }: Pick<ManagedEntry, 'manager' | 'subresource'>): boolean {
  return subresource === 'status' || SYSTEM.test(manager);
}

export interface Author {
  by?: string;
  at?: string;
}

/**
 * Who wrote an object last or, with `path`, who owns that field or something in it; Helm only where nobody else does.
 */
export function authorOf(object: unknown, path: Path = []): Author {
  const owners = managedEntries(object).filter(
    (entry) => !isSystem(entry) && (path.length === 0 || owns(entry.fieldsV1, path)),
  );
  const others = owners.filter(({ manager, operation }) => manager !== HELM_MANAGER || operation !== 'Apply');
  const [last] = (others.length > 0 ? others : owners).sort((a, b) => (b.time ?? '').localeCompare(a.time ?? ''));
  return last === undefined ? {} : { by: last.manager, ...(last.time ? { at: last.time } : {}) };
}

function owns(fields: unknown, path: Path): boolean {
  return ownedPaths(fields).some((owned) => isWithin(owned, path) || isWithin(path, owned));
}

/** Every leaf of a set of fields. */
export function ownedPaths(fields: unknown, path: Path = []): Path[] {
  const below = childrenOf(fields);
  return below.length === 0 ? [path] : below.flatMap(([part, rest]) => ownedPaths(rest, [...path, part]));
}

/** Maps whose entries have nothing to do with one another: each is a field of its own. */
const MAPS = ['labels', 'annotations', 'data', 'binaryData', 'nodeSelector', 'matchLabels', 'limits', 'requests'];
const OF_METADATA = ['labels', 'annotations', 'finalizers'];

/**
 * Fields that somebody wrote and that are not part of what was applied, each as high up as it begins to be something
 * else.
 * @param applied what the release says
 */
export function extraFields(entry: ManagedEntry, applied: Tree, live: unknown): Path[] {
  return extras(entry.fieldsV1, applied, [], live);
}

function extras(fields: unknown, applied: unknown, path: Path, live: unknown): Path[] {
  return childrenOf(fields).flatMap(([part, below]) => {
    const here = [...path, part];
    if (path.length === 0 && (part === 'status' || part === 'apiVersion' || part === 'kind')) return [];
    if (path.length === 1 && path[0] === 'metadata' && !(typeof part === 'string' && OF_METADATA.includes(part)))
      return [];
    // A chart's empty list comes back as null: nothing was added.
    if (valueAtPath(live, here) === undefined || valueAtPath(live, here) === null) return [];
    const wanted = valueAtPath(applied, here);
    if (wanted !== undefined && wanted !== null) return extras(below, applied, here, live);
    const map = typeof part === 'string' && (MAPS.includes(part) || path.length === 0);
    return map && childrenOf(below).length > 0 ? extras(below, applied, here, live) : [here];
  });
}

function childrenOf(fields: unknown): [Part, unknown][] {
  if (!isTree(fields)) return [];
  return Object.entries(fields).flatMap(([name, below]): [Part, unknown][] => {
    const part = partOf(name);
    return part === undefined ? [] : [[part, below]];
  });
}

/** `f:image`, `k:{"name":"app"}`, `v:"x"`, `i:0`; `.` stands for the thing itself. */
export function partOf(name: string): Part | undefined {
  if (name.startsWith('f:')) return name.slice(2);
  try {
    if (name.startsWith('k:')) return { keys: JSON.parse(name.slice(2)) as Record<string, unknown> };
    if (name.startsWith('v:')) return { value: JSON.parse(name.slice(2)) as unknown };
    if (name.startsWith('i:')) return { index: Number(name.slice(2)) };
  } catch {
    // Not of this API server: then nobody can be named for it.
  }
  return undefined;
}
