/**
 * Values that Vault has lost and that still exist elsewhere: in an older version of the path, or in the Kubernetes
 * Secrets made from it. Servers were initialised with them, so a new value is never made in their place.
 */
import { createHmac } from 'node:crypto';
import bcrypt from 'bcryptjs';
import type { SecretKey, SecretPath } from '../../../catalog/schema.ts';
import { type KvHistory, readKvVersion, type VaultSession } from '../../../clients/vault/index.ts';
import { isAsMade, type MadeSecret } from './made-secrets.ts';
import type { Receipt } from '../receipt.ts';

export interface Restorable {
  value: string;
  /** `version 3`, `Secret data/vault-database-main`. */
  from: string;
}

/**
 * What is missing of a path and can be brought back, by key. Of several sources the one with the newest version wins.
 */
export async function restorable(
  session: VaultSession,
  { path, keys }: Pick<SecretPath, 'path' | 'keys'>,
  present: Readonly<Record<string, string>>,
  history: KvHistory,
  made: readonly MadeSecret[],
  signal?: AbortSignal,
): Promise<Map<string, Restorable>> {
  const missing = keys.filter((key) => present[key.name] === undefined && key.kind !== 'fixed' && key.kind !== 'copy');
  if (missing.length === 0) return new Map();
  const sources = [...(await olderVersions(session, path, history, signal)), ...fromSecrets(path, made)].sort(
    (a, b) => b.version - a.version,
  );
  const found = new Map<string, Restorable>();
  for (const key of [...missing].sort((a, b) => Number(isDerived(a)) - Number(isDerived(b)))) {
    for (const { values, from } of sources) {
      const value = values[key.name];
      if (value === undefined) continue;
      // A token or hash of another secret than the one that counts is worse than a new one.
      if (isDerived(key) && !(await fitsBase(key, value, (base) => present[base] ?? found.get(base)?.value))) continue;
      found.set(key.name, { value, from });
      break;
    }
  }
  return found;
}

/**
 * Whether a key once had a value, so that its absence is a loss and no beginning. A Vault without a receipt, beside
 * Secrets that were made from one, is a Vault that has lost everything.
 */
export function hadValue(
  { keys, seeded }: Partial<Receipt>,
  made: readonly MadeSecret[],
  path: string,
  key: SecretKey,
): boolean {
  if (key.kind !== 'generated' && key.kind !== 'supplied') return false;
  if (keys !== undefined) return keys.split('\n').includes(`${path} ${key.name}`);
  return seeded === undefined && made.some((secret) => secret.path !== '');
}

interface Source {
  version: number;
  values: Readonly<Record<string, string>>;
  from: string;
}

async function olderVersions(
  session: VaultSession,
  path: string,
  { versions }: KvHistory,
  signal?: AbortSignal,
): Promise<Source[]> {
  const readable = versions.filter(({ destroyed, deletedAt }) => !destroyed && deletedAt === undefined);
  const entries = await Promise.all(readable.map(({ version }) => readKvVersion(session, path, version, signal)));
  return entries.flatMap((entry) =>
    entry ? [{ version: entry.version, values: entry.data, from: `version ${entry.version}` }] : [],
  );
}

/** A value that somebody edited in the Secret is no longer what Vault gave. */
function fromSecrets(path: string, made: readonly MadeSecret[]): Source[] {
  return made
    .filter((secret) => secret.path === path)
    .map((secret) => ({
      version: secret.version,
      from: `Secret ${secret.namespace}/${secret.name}`,
      values: Object.fromEntries(Object.entries(secret.values).filter(([key]) => isAsMade(secret, key))),
    }));
}

type Derived = Extract<SecretKey, { kind: 'jwt' | 'bcrypt' }>;

function isDerived(key: SecretKey): key is Derived {
  return key.kind === 'jwt' || key.kind === 'bcrypt';
}

async function fitsBase(key: Derived, value: string, baseOf: (name: string) => string | undefined): Promise<boolean> {
  const base = baseOf(key.kind === 'jwt' ? key.signedWith : key.of);
  if (base === undefined) return false;
  if (key.kind === 'bcrypt') return bcrypt.compare(base, value).catch(() => false);
  const [header = '', payload = '', signature = ''] = value.split('.');
  return createHmac('sha256', base).update(`${header}.${payload}`).digest('base64url') === signature;
}
