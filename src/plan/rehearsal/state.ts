/**
 * What a run has left, in the form in which runs are compared: what may differ from run to run is taken out by the
 * rules of `rules.ts`, field by field, and everything else stays. Pure.
 */
import { RELEASE_LABELS } from '../../contract/names.ts';
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { digestOf } from '../digest.ts';
import { COMPARED_BY_VALUE, FIELDS, GONE, NOT_COMPARED, type FieldRule } from './rules.ts';

/** As the API server, Helm and Vault say it. Holds secrets. */
export interface ReadState {
  objects: readonly ReadObject[];
  /** What Helm has recorded, of each release the newest revision at least. */
  releases: readonly ({
    name: string;
    namespace: string;
    version: number;
    /** Of the record. */
    labels: Readonly<Record<string, string>>;
  } & Record<string, unknown>)[];
  vault: ReadVault;
}
export interface ReadObject {
  group: string;
  kind: string;
  object: { metadata: { name: string; namespace?: string | undefined; [field: string]: unknown } } & Record<
    string,
    unknown
  >;
}
export interface ReadVault {
  mounts: ReadonlyMap<string, unknown> | undefined;
  auths: ReadonlyMap<string, unknown> | undefined;
  kvConfig: unknown;
  loginConfig: unknown;
  policies: ReadonlyMap<string, unknown> | undefined;
  roles: ReadonlyMap<string, unknown> | undefined;
  paths: readonly {
    path: string;
    /** Values. */
    keys: Readonly<Record<string, unknown>>;
    /** Those that the catalog says, and nobody generates. */
    fixed: Readonly<Record<string, string>>;
    /** Number of the newest version: how often it was written. */
    newest: number;
  }[];
  receipt: Readonly<Record<string, unknown>>;
}

/** Subject, such as `Deployment apps/web`, to what of it is compared. Holds no secret. */
export type ComparableState = Readonly<Record<string, unknown>>;

export function stateOf({ objects, releases, vault }: ReadState): ComparableState {
  const state: Record<string, unknown> = {};
  const add = (subject: string, value: unknown): void => {
    // Several of one name, as pods of a ReplicaSet: each counts, and which is which does not.
    for (let number = 1; ; number += 1) {
      const key = number === 1 ? subject : `${subject} (${number})`;
      if (key in state) continue;
      state[key] = value;
      return;
    }
  };
  const comparable = objects
    .filter((object) => !isLeftOut(object))
    .map(({ kind, object }) => ({ subject: subjectOf(kind, object), value: comparableObject(kind, object) }))
    // Those of one name in an order of their own contents.
    .sort((a, b) => order(a.subject, b.subject) || order(JSON.stringify(a.value), JSON.stringify(b.value)));
  for (const { subject, value } of comparable) add(subject, value);
  for (const release of newestOf(releases))
    add(`Release ${release.namespace}/${release.name}`, comparableRelease(release));
  for (const [what, value] of Object.entries(comparableVault(vault))) add(what, value);
  return state;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Records of Helm are compared as releases. */
function isLeftOut({ group, kind, object }: ReadObject): boolean {
  return (
    NOT_COMPARED.some((rule) => rule.kind === kind && (rule.group ?? group) === group) ||
    object['type'] === 'helm.sh/release.v1'
  );
}

/** The end of a name that the API server makes up. */
const MADE_UP = /-[bcdfghjklmnpqrstvwxz2456789]{5}$/;

function subjectOf(kind: string, { metadata, ...object }: ReadObject['object']): string {
  const claim = (object['spec'] as { claimRef?: { namespace: string; name: string } } | undefined)?.claimRef;
  if (kind === 'PersistentVolume' && claim !== undefined) return `${kind} of ${claim.namespace}/${claim.name}`;
  const name = isMadeUp(metadata) ? metadata.name.replace(MADE_UP, '-*') : metadata.name;
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${formats(name) as string}`;
}

/** Pods of a StatefulSet have a `generateName` too, and names of their own. */
function isMadeUp(metadata: ReadObject['object']['metadata']): boolean {
  return 'generateName' in metadata && MADE_UP.test(metadata.name);
}

function comparableObject(kind: string, object: ReadObject['object']): unknown {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = object;
  const { name, ...about } = metadata;
  const named = { ...rest, metadata: isMadeUp(metadata) ? about : { name, ...about } };
  const kept = kind === 'Secret' ? { ...named, data: sizes(rest['data']) } : named;
  return formats(
    without(
      unpacked(kept),
      FIELDS.filter((rule) => rule.kind === undefined || rule.kind === kind),
    ),
  );
}

/** JSON within ConfigMaps, such as a platform version, field by field. */
function unpacked(object: Tree): Tree {
  const { data } = object;
  if (!isTree(data)) return object;
  return {
    ...object,
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, typeof value === 'string' ? (parsed(value) ?? value) : value]),
    ),
  };
}

function parsed(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Of a Secret: which keys there are, and how long what they hold is. */
function sizes(data: unknown): unknown {
  if (!isTree(data)) return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, `${Buffer.from(String(value), 'base64').length} bytes`]),
  );
}

function newestOf(releases: ReadState['releases']): ReadState['releases'] {
  const newest = new Map<string, ReadState['releases'][number]>();
  for (const release of releases) {
    const key = `${release.namespace}/${release.name}`;
    if ((newest.get(key)?.version ?? 0) < release.version) newest.set(key, release);
  }
  return [...newest].sort(([a], [b]) => order(a, b)).map(([, release]) => release);
}

function comparableRelease(read: ReadState['releases'][number]): unknown {
  const { chart, labels, ...release } = read;
  const rules = FIELDS.filter(({ kind }) => kind === 'Release');
  // A chart is megabytes: it is the same, or not.
  return formats({
    ...(without(release, rules) as Tree),
    chart: digestOf(chart),
    receipt: receiptOf(read.version, labels),
  });
}

/** What the record says of itself: from what it was made, that it was found healthy, that a run of ours made it. */
function receiptOf(version: number, labels: Readonly<Record<string, string>>): unknown {
  const { environment, service, platform, digest, charts, left, proven, proof } = RELEASE_LABELS;
  const told = [environment, service, platform, digest, charts, left];
  return {
    ...Object.fromEntries(told.map((label) => [label, labels[label] ?? null])),
    status: labels['status'] ?? null,
    healthy: labels[proven] === String(version),
    proof: labels[proof] === undefined ? 'missing' : 'there',
  };
}

function comparableVault(vault: ReadVault): Record<string, unknown> {
  const rules = FIELDS.filter(({ kind }) => kind === 'Vault');
  const each = (what: string, all: ReadonlyMap<string, unknown> | undefined): Record<string, unknown> =>
    Object.fromEntries(
      [...(all ?? [])]
        .sort(([a], [b]) => order(a, b))
        .map(([name, value]) => [`Vault ${what} ${name}`, formats(without(value, rules))]),
    );
  return {
    ...each('mount', vault.mounts),
    ...each('auth method', vault.auths),
    ...each('policy', vault.policies),
    ...each('role', vault.roles),
    'Vault KV configuration': formats(without(vault.kvConfig, rules)),
    'Vault login configuration': formats(without(vault.loginConfig, rules)),
    'Vault receipt': formats(without({ receipt: vault.receipt }, rules)),
    ...Object.fromEntries(
      vault.paths.map(({ path, keys, fixed, newest }) => [
        `Vault path ${path}`,
        {
          written: newest,
          keys: Object.fromEntries(
            Object.entries(keys).map(([key, value]) => [
              key,
              key in fixed
                ? fixed[key] === value
                  ? 'as the catalog says'
                  : 'another value'
                : `${String(value).length} characters`,
            ]),
          ),
        },
      ]),
    ),
  };
}

/** Takes out what the rules name. */
function without(value: unknown, rules: readonly Pick<FieldRule, 'path'>[]): unknown {
  return rules.reduce((tree, { path }) => taken(tree, path.split('.')), value);
}

/** `*` is each entry of a list, or each key. What is empty afterwards goes: an empty map says no more than none. */
function taken(value: unknown, [first, ...rest]: readonly string[]): unknown {
  if (first === undefined) return GONE;
  if (Array.isArray(value))
    return first === '*' ? value.map((entry: unknown) => taken(entry, rest)).filter((entry) => entry !== GONE) : value;
  if (!isTree(value)) return value;
  const names = first === '*' ? Object.keys(value) : [first.replaceAll('~', '.')];
  const kept = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    if (!names.includes(key)) return [[key, inner]];
    const left = taken(inner, rest);
    return left === GONE ? [] : [[key, left]];
  });
  return kept.length === 0 && Object.keys(value).length > 0 ? GONE : Object.fromEntries(kept);
}

/** Texts that are an id, a time, an address: another one in each run, and compared as one of its kind. */
function formats(value: unknown): unknown {
  if (typeof value === 'string')
    return COMPARED_BY_VALUE.reduce((text, { pattern, as }) => text.replaceAll(pattern, as), value);
  if (Array.isArray(value)) return value.map(formats);
  return isTree(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, formats(inner)])) : value;
}
