/** Values as people read them: short, and without secrets. */
import { isTree } from '../../environment/files/merge.ts';
import { digestOf } from '../digest.ts';
import { type Path } from '../fields/path.ts';
import {
  type Fingerprint,
  fingerprint as ofThisProcess,
  isSensitiveName,
  withoutNamedSecrets,
} from '../diff/sensitive.ts';

const LONGEST = 200;
/**
 * @returns undefined for what is not there
 * @param kind of the object: what Secrets hold is always hidden
 */
export function valueText(
  kind: string,
  path: Path,
  value: unknown,
  fingerprint: Fingerprint = ofThisProcess,
): string | undefined {
  if (value === undefined || value === null) return undefined;
  const told = tellable(kind, path, value, fingerprint);
  return cut(typeof told === 'string' ? told : JSON.stringify(told));
}

/**
 * What an acceptance is bound to: a digest over what may be shown of the value, so that nobody can try out guesses on
 * more than that.
 */
export function valueDigest(
  kind: string,
  path: Path,
  value: unknown,
  fingerprint: Fingerprint = ofThisProcess,
): string {
  return digestOf([value === undefined || value === null ? null : tellable(kind, path, value, fingerprint)]);
}

function tellable(kind: string, path: Path, value: unknown, fingerprint: Fingerprint): unknown {
  if (kind === 'Secret' && (path.length === 0 || path[0] !== 'metadata' || path[1] === 'annotations'))
    return fingerprint(value);
  return typeof value !== 'object' && path.some(isSensitive) ? fingerprint(value) : withoutSecrets(value, fingerprint);
}

/**
 * Of two long texts the lines between the first and the last difference; of two lists the entries that only one has.
 */
export function differingParts(was: unknown, is: unknown): [unknown, unknown] {
  if (typeof was === 'string' && typeof is === 'string')
    return was.length + is.length <= LONGEST ? [was, is] : differingLines(was.split('\n'), is.split('\n'));
  if (!Array.isArray(was) || !Array.isArray(is)) return [was, is];
  const only = (these: unknown[], those: unknown[]): unknown[] =>
    these.filter((entry) => !those.some((other) => digestOf([other]) === digestOf([entry])));
  const [gone, added] = [only(was, is), only(is, was)];
  // The same entries in another order.
  return gone.length + added.length === 0 ? [was, is] : [gone, added];
}

export function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function differingLines(a: readonly string[], b: readonly string[]): [string, string] {
  let first = 0;
  while (first < a.length && first < b.length && a[first] === b[first]) first += 1;
  let last = 0;
  while (last < a.length - first && last < b.length - first && a[a.length - 1 - last] === b[b.length - 1 - last])
    last += 1;
  const middle = (lines: readonly string[]): string =>
    lines.slice(first, lines.length - last).join('\n') || '(no such lines)';
  return [middle(a), middle(b)];
}

function isSensitive(part: Path[number]): boolean {
  if (typeof part === 'string') return isSensitiveName(part) && !REFERENCES.includes(part);
  return 'keys' in part && typeof part.keys['name'] === 'string' && isSensitiveName(part.keys['name']);
}

/** Names of things, not their content. */
const REFERENCES = [
  'secretName',
  'secretKeyRef',
  'secretRef',
  'secret',
  'secrets',
  'imagePullSecrets',
  'automountServiceAccountToken',
  'serviceAccountToken',
];

/** Literal values of variables and keys that sound secret, such lines of configuration, and passwords in addresses. */
function withoutSecrets(value: unknown, fingerprint: Fingerprint): unknown {
  if (typeof value === 'string') return withoutNamedSecrets(value, fingerprint);
  if (Array.isArray(value)) return value.map((entry) => withoutSecrets(entry, fingerprint));
  if (!isTree(value)) return value;
  const secret = typeof value['name'] === 'string' && isSensitiveName(value['name']);
  const hides = (key: string, entry: unknown): boolean =>
    (secret && key === 'value') || (typeof entry === 'string' && isSensitive(key));
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      hides(key, entry) ? fingerprint(entry) : withoutSecrets(entry, fingerprint),
    ]),
  );
}
