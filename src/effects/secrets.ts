/** What `ananta secrets` does: values of third parties in, single values out to a person. Works without the engine. */
import { AnantaError } from '../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../contract/failures.ts';
import type { Clients } from '../clients/index.ts';
import type { SecretKey } from '../catalog/schema.ts';
import { type KvEntry, readKv, versionOfKv, writeKv } from '../clients/vault/index.ts';
import { suppliedKeys, type SuppliedKey } from '../plan/vault/supplied.ts';
import { keysWithoutText, requireText } from './vault/declared.ts';
import { registerSecretValues } from './vault/register-values.ts';
import { findLossBefore } from './vault/secrets/loss.ts';
import { isGoodEnough, waitingFor } from './vault/secrets/supplied.ts';

type SecretClients = Pick<Clients, 'environment' | 'catalog' | 'connections' | 'vault' | 'redactor' | 'kubernetes'>;

/** The path or key is not one of the catalog, or may not be set. */
export class SecretNameError extends AnantaError {
  override name = 'ConfigurationError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
}

/**
 * Sets a value that a third party issued. Before Vault exists it waits in a 0600 file of the state folder.
 * @returns where it is now, and for Vault the version; Kubernetes Secrets follow with the next deployment
 * @throws SecretNameError for a key that is generated, unless Vault has lost it
 */
export async function setSecret(
  clients: SecretClients,
  path: string,
  key: string,
  value: string,
  signal?: AbortSignal,
): Promise<{ stored: 'vault'; version: number } | { stored: 'waiting' }> {
  await requireSettable(clients, path, key, signal);
  if (value === '') throw new SecretNameError(`The value for ${path} ${key} is empty: give it on standard input.`);
  clients.redactor.learn(value);
  const { state } = await clients.vault.state(signal);
  if (state === 'absent' || state === 'uninitialized') {
    await waitingFor(clients).add({ [path]: { [key]: value } });
    return { stored: 'waiting' };
  }
  return clients.vault.asDeployer(async (session) => {
    const known = await readKv(session, path, signal);
    if (known?.data[key] === value) return { stored: 'vault' as const, version: known.version };
    const version = await writeKv(
      session,
      path,
      { ...known?.other, ...known?.data, [key]: value },
      known?.version ?? (await versionOfKv(session, path, signal)).version,
      signal,
    );
    return { stored: 'vault' as const, version };
  }, signal);
}

/** @throws SecretNameError unless a third party issues the value, or Vault has lost it */
export async function requireSettable(
  clients: SecretClients,
  path: string,
  key: string,
  signal?: AbortSignal,
): Promise<void> {
  const declared = keyOf(clients, path, key);
  if (declared.kind === 'supplied') return;
  if (declared.kind === 'generated') {
    const { state } = await clients.vault.state(signal);
    if (state === 'open' && (await readSecret(clients, path, signal))?.data[key] === undefined) return;
    const loss =
      state === 'absent' || state === 'uninitialized' ? await findLossBefore(clients, state, signal) : undefined;
    if (loss?.keys.some((lost) => lost.path === path && lost.key === key)) return;
  }
  const settable = suppliedKeys(clients.catalog).map((known) => `${known.path} ${known.key}`);
  throw new SecretNameError(
    `${path} ${key} is generated and never overwritten; only these are set by hand: ${settable.join(', ')}`,
  );
}

/** @returns undefined when the path has no such key yet. @throws SecretNameError, SecretFormatError */
export async function getSecret(
  clients: SecretClients,
  path: string,
  key: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  keyOf(clients, path, key);
  const entry = await readSecret(clients, path, signal);
  const declared = clients.catalog.secretPaths.find((candidate) => candidate.path === path);
  if (declared !== undefined && keysWithoutText(declared, entry).has(key)) requireText([{ declared, entry }]);
  return entry?.data[key];
}

async function readSecret(clients: SecretClients, path: string, signal?: AbortSignal): Promise<KvEntry | undefined> {
  const entry = await clients.vault.asDeployer((session) => readKv(session, path, signal), signal);
  registerSecretValues(
    clients.redactor,
    clients.catalog.secretPaths.find((declared) => declared.path === path),
    { ...entry?.other, ...entry?.data },
  );
  return entry;
}

/** Keys that the environment requires from third parties and nobody has supplied; asked before a deployment starts. */
export async function missingSecrets(clients: SecretClients, signal?: AbortSignal): Promise<SuppliedKey[]> {
  if (clients.environment.suppliedSecrets === 'placeholder') return [];
  const required = suppliedKeys(clients.catalog).filter((key) => key.required);
  const waiting = await waitingFor(clients).read();
  const left = required.filter(({ path, key }) => waiting[path]?.[key] === undefined);
  if (left.length === 0) return [];
  const { state } = await clients.vault.state(signal);
  if (state === 'absent' || state === 'uninitialized') return left;
  const stored = await clients.vault.asDeployer(
    (session) =>
      Promise.all(
        [...new Set(left.map(({ path }) => path))].map(
          async (path) => [path, await readKv(session, path, signal)] as const,
        ),
      ),
    signal,
  );
  const values = new Map(stored.map(([path, entry]) => [path, entry?.data ?? {}]));
  return left.filter(({ path, key }) => {
    const declared = keyOf(clients, path, key);
    return declared.kind !== 'supplied' || !isGoodEnough(clients.environment, declared, values.get(path)?.[key]);
  });
}

function keyOf({ catalog }: Pick<Clients, 'catalog'>, path: string, key: string): SecretKey {
  const declared = catalog.secretPaths.find((candidate) => candidate.path === path);
  if (!declared)
    throw new SecretNameError(
      `There is no secret path ${path}. Known: ${catalog.secretPaths.map((candidate) => candidate.path).join(', ')}`,
    );
  const found = declared.keys.find(({ name }) => name === key);
  if (!found)
    throw new SecretNameError(`${path} has no key ${key}. It has: ${declared.keys.map(({ name }) => name).join(', ')}`);
  return found;
}
