/**
 * Vault put back from its snapshot: given to the Vault that runs, opened with the keys of that in the backup, and made
 * to know this cluster. Begun again at any line, it goes on where it was.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { Clients } from '../../clients/index.ts';
import { isAway, VaultError, type VaultKeys } from '../../clients/vault/index.ts';
import type { BackedUpVault } from '../../contract/backup.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { RunRef } from '../../contract/operations/deploy.ts';
import type { EffectScope } from '../effect.ts';
import { configureVault } from '../vault/configure.ts';
import { readArchive } from './archive.ts';
import type { KeptSource } from './place/source.ts';
import { seenVersions } from './vault.ts';

const FORCE_PATH = 'sys/storage/raft/snapshot-force';
/** Vault answers before it has taken the snapshot over. */
const TAKEN_OVER_MILLISECONDS = 120_000;
const LOOK_MILLISECONDS = 500;

export interface VaultRestore {
  file: string | KeptSource;
  identities: readonly string[];
  wanted: BackedUpVault;
  /** What opens the Vault in the backup; absent: what is kept here opens it. */
  keys?: VaultKeys | undefined;
  run: RunRef;
}

/**
 * Gives the snapshot to the Vault that runs, and waits until it is what the backup says.
 * @throws VaultWaitsForPeopleError where only people can make a root token; DeployError when it does not become that
 */
export async function restoreVault(clients: Clients, restore: VaultRestore, scope: EffectScope): Promise<void> {
  const { vault } = clients;
  const { wanted, file, identities } = restore;
  const { signal } = scope;
  if ((await vault.state(signal)).state === 'uninitialized') await initializeForNow(clients, restore, scope);
  scope.doing('gives Vault its snapshot');
  await vault.root.run(async (session) => {
    await readArchive(file, identities, (snapshot) =>
      session.upload(FORCE_PATH, Readable.from(snapshot, { objectMode: false }), signal),
    );
  }, signal);
  vault.forgetLogin();
  await until('it is still another one', signal, async () => {
    await openAgain(clients, restore, scope);
    return (await vault.health(signal)).id === wanted.id;
  });
  let configured = false;
  await until('its secrets are not what the backup says', signal, async () => {
    await openAgain(clients, restore, scope);
    const paths = await seenVersions(clients, signal).catch(async (error: unknown) => {
      signal.throwIfAborted();
      if (configured) throw error;
      // The cluster that it asks about logins may be another one.
      await configureVault(clients, restore.run, scope, { anew: true });
      configured = true;
      return seenVersions(clients, signal);
    });
    return isDeepStrictEqual(paths, wanted.paths);
  });
  await configureVault(clients, restore.run, scope);
}

/**
 * An empty Vault takes no snapshot. The key that it gets opens nothing once it has taken one, so that nobody has to be
 * asked for theirs.
 */
async function initializeForNow(
  { vault, environment }: Pick<Clients, 'vault' | 'environment'>,
  { run }: Pick<VaultRestore, 'run'>,
  scope: EffectScope,
): Promise<void> {
  scope.doing('initialises the empty Vault');
  const { replicas, seal } = environment.vault;
  await vault.open(
    {
      shares: 1,
      threshold: 1,
      replicas,
      cluster: run.clusterUid,
      ...(seal === undefined ? {} : { autoUnseal: true }),
    },
    scope.signal,
  );
}

/** Of one that a restart or an interrupted restoration has sealed: afterwards it can be seen what there is to do. */
export async function openAgain(
  clients: Pick<Clients, 'vault'>,
  { keys }: Pick<VaultRestore, 'keys'>,
  scope: EffectScope,
): Promise<void> {
  const { state } = await clients.vault.state(scope.signal);
  if (state !== 'sealed') return;
  scope.doing('opens Vault');
  await openWith(clients, keys, scope.signal);
}

/**
 * Keys that were given are tried first, and kept once they have opened it: until then those that are kept may be the
 * right ones.
 */
async function openWith(
  { vault }: Pick<Clients, 'vault'>,
  keys: VaultKeys | undefined,
  signal: AbortSignal,
): Promise<void> {
  const kept = await vault.keys.read();
  if (keys !== undefined && !isDeepStrictEqual(kept?.keys, keys.keys) && (await fits(vault, keys, signal))) {
    if (kept !== undefined) await vault.keys.putAside();
    await vault.keys.write(keys);
  }
  await vault.unseal(signal);
}

async function fits(vault: Clients['vault'], { keys, encryptedFor }: VaultKeys, signal: AbortSignal): Promise<boolean> {
  // Shares that people hold cannot be tried: people are asked to enter them.
  if (encryptedFor !== undefined) return true;
  for (const { api } of await vault.servers(signal)) {
    if (!(await api.health(signal)).sealed) continue;
    await api.resetUnseal(signal);
    try {
      for (const key of keys) if (!(await api.unseal(key, signal))) return true;
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      await api.resetUnseal(signal);
    }
    return false;
  }
  return false;
}

async function until(why: string, signal: AbortSignal, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + TAKEN_OVER_MILLISECONDS; ; ) {
    try {
      if (await holds()) return;
    } catch (error) {
      // While it takes the snapshot over it answers to nobody.
      const passing = isAway(error) || (error instanceof VaultError && error.status >= 500);
      if (!passing || Date.now() > deadline) throw error;
    }
    if (Date.now() > deadline)
      throw new DeployError(
        FAILURES.unexpected,
        `Vault has the snapshot, and after ${TAKEN_OVER_MILLISECONDS / 1000} s ${why}. Look at its log, then run the same command again: it goes on from here.`,
      );
    await sleep(LOOK_MILLISECONDS, undefined, { signal });
  }
}
