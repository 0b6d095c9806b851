/**
 * Where something stands in an object: keys of maps, and entries of lists identified by the keys that server-side
 * apply uses.
 */
import { isTree } from '../../environment/files/merge.ts';

/** A key of a map, an entry of a list by its identifying values, or by its place. */
export type Part = string | { keys: Record<string, unknown> } | { index: number } | { value: unknown };
export type Path = readonly Part[];

/** `spec.template.spec.containers[name=app].env[name=X].value`; keys that hold dots or slashes stand in brackets. */
export function pathText(path: Path): string {
  return path
    .map((part, position) => (typeof part === 'string' && isPlain(part) && position > 0 ? `.${part}` : partText(part)))
    .join('');
}

/** Matches one part, as it stands in a text. */
function partText(part: Part): string {
  if (typeof part === 'string') return isPlain(part) ? part : `[${part}]`;
  if ('keys' in part)
    return `[${Object.entries(part.keys)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(',')}]`;
  return 'index' in part ? `[${part.index}]` : `[=${String(part.value)}]`;
}

function isPlain(key: string): boolean {
  return /^[\w-]+$/.test(key);
}

/** @returns undefined where there is nothing */
export function valueAtPath(object: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => {
    if (typeof part === 'string') return isTree(value) ? value[part] : undefined;
    if (!Array.isArray(value)) return undefined;
    const at = indexOf(value, part);
    return at === undefined ? undefined : (value as unknown[])[at];
  }, object);
}

/** As RFC 6901 has it, for the object as it is now. @returns undefined where there is nothing */
export function pointerOf(object: unknown, path: Path): string | undefined {
  let value = object;
  let pointer = '';
  for (const part of path) {
    const step =
      typeof part === 'string'
        ? isTree(value) && part in value
          ? part
          : undefined
        : Array.isArray(value)
          ? indexOf(value, part)
          : undefined;
    if (step === undefined) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
    pointer += `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }
  return pointer;
}

function indexOf(list: readonly unknown[], part: Exclude<Part, string>): number | undefined {
  if ('index' in part) return part.index < list.length ? part.index : undefined;
  const found = list.findIndex((entry) =>
    'value' in part
      ? entry === part.value
      : isTree(entry) && Object.entries(part.keys).every(([key, value]) => (entry[key] ?? DEFAULTS[key]) === value),
  );
  return found < 0 ? undefined : found;
}

/** What an entry has where it does not say. */
const DEFAULTS: Record<string, unknown> = { protocol: 'TCP' };

const BY_NAME = ['name'];
const KEYS: Record<string, readonly string[]> = {
  containers: BY_NAME,
  initContainers: BY_NAME,
  volumes: BY_NAME,
  env: BY_NAME,
  imagePullSecrets: BY_NAME,
  webhooks: BY_NAME,
  secrets: BY_NAME,
  hostAliases: ['ip'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
};

/**
 * The keys that identify entries of a list, as Kubernetes' own kinds declare them.
 * @returns undefined for a list that counts as a whole
 */
export function listKeys(path: Path): readonly string[] | undefined {
  const last = path.at(-1);
  if (typeof last !== 'string') return undefined;
  if (last !== 'ports') return Object.hasOwn(KEYS, last) ? KEYS[last] : undefined;
  return typeof path.at(-2) === 'string' ? ['port', 'protocol'] : ['containerPort', 'protocol'];
}

/** @returns undefined for an entry that lacks a key */
export function entryPart(entry: unknown, keys: readonly string[]): { keys: Record<string, unknown> } | undefined {
  if (!isTree(entry)) return undefined;
  const found = Object.fromEntries(keys.map((key) => [key, entry[key] ?? DEFAULTS[key]]));
  return Object.values(found).some((value) => value === undefined || typeof value === 'object')
    ? undefined
    : { keys: found };
}

/** Whether one path is the other or lies below it. */
export function isWithin(path: Path, outer: Path): boolean {
  return outer.length <= path.length && outer.every((part, at) => partText(part) === partText(path[at] as Part));
}

/**
 * Whether a pattern of an environment file fits: `*` stands for one part (in brackets for one entry), a trailing `**`
 * for everything below.
 */
export function fitsPattern(pattern: string, path: Path): boolean {
  const wanted = partsOf(pattern);
  const texts = path.map(partText);
  if (wanted.at(-1) === '**')
    return texts.length >= wanted.length - 1 && wanted.slice(0, -1).every((part, at) => fits(part, texts[at] ?? ''));
  return texts.length === wanted.length && wanted.every((part, at) => fits(part, texts[at] ?? ''));
}

function fits(wanted: string, part: string): boolean {
  return wanted === '*' || wanted === part || (wanted === '[*]' && part.startsWith('['));
}

function partsOf(pattern: string): string[] {
  return pattern.match(/\[[^\]]*\]|[^.[\]]+/g) ?? [];
}
