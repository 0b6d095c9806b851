/**
 * How findings of Vault, of Secrets and of contents are put together: their keys, their texts and what an acceptance is
 * bound to.
 */
import type { DriftFinding } from '../../../contract/drift.ts';
import { digestOf } from '../../digest.ts';

const TEXT_LENGTH = 200;

/** Of a finding, before it has a key and a digest. */
export type FoundDrift = Omit<DriftFinding, 'key' | 'valueDigest'> & {
  /** What is there now, where `is` does not say all of it; no secret values, since it is digested without a key. */
  value?: unknown;
};

/**
 * The key is made of area, object and field; the digest of kind and value: a further change is another digest under the
 * same key.
 */
export function vaultFinding({ value, ...found }: FoundDrift): DriftFinding {
  const { area, object, field, kind, was, is } = found;
  return {
    ...found,
    ...(was === undefined ? {} : { was: cut(was) }),
    ...(is === undefined ? {} : { is: cut(is) }),
    key: [area, object, ...(field === undefined ? [] : [field])].join('/'),
    valueDigest: digestOf([kind, value ?? is ?? null]),
  };
}

/** What could not be looked at is neither right nor wrong. @param why what came back instead of an answer */
export function notObservable(area: string, object: string, why: string, note: string): DriftFinding {
  return vaultFinding({ kind: 'not-observable', area, object, is: why, note, value: 'not-observable' });
}

function cut(text: string): string {
  return text.length <= TEXT_LENGTH ? text : `${text.slice(0, TEXT_LENGTH - 1)}…`;
}
