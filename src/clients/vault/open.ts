/** From whatever state Vault is in to an open one: initialised once, its keys kept before anything else happens, unsealed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { VaultApi } from './api.ts';
import { VaultError, VaultKeysMissingError, VaultSealedError } from './errors.ts';
import type { KeyStore, VaultKeys } from './keys.ts';

export interface OpenOptions {
  shares: number;
  threshold: number;
  /** kube-system's uid. */
  cluster: string;
}

/** What Vault says whose raft storage exists without the keys that would open it. */
const HALF_INITIALIZED = /cluster already has state/;
const BECOMES_ACTIVE_MILLISECONDS = 15_000;

/**
 * @throws VaultKeysMissingError, VaultSealedError when it does not open with the keys at hand, VaultUnreachableError
 */
export async function openVault(api: VaultApi, store: KeyStore, options: OpenOptions, signal?: AbortSignal): Promise<{ initialized: boolean; unsealed: boolean }> {
  const { initialized } = await api.health(signal);
  if (!initialized) {
    await initialize(api, store, options, signal);
    await unsealVault(api, store, signal);
    return { initialized: true, unsealed: true };
  }
  return { initialized: false, unsealed: await unsealVault(api, store, signal) };
}

/** @returns false when it was open already */
export async function unsealVault(api: VaultApi, store: KeyStore, signal?: AbortSignal): Promise<boolean> {
  const { sealed } = await api.health(signal);
  if (sealed) {
    const kept = await keysFor(store);
    let still = true;
    for (const key of kept.keys) {
      still = await api.unseal(key, signal);
      if (!still) break;
    }
    if (still) throw new VaultSealedError(`Vault stays sealed after all ${kept.keys.length} keys of ${store.path} were used: they are not this Vault's keys, or there are too few`);
  }
  await becomesActive(api, signal);
  return sealed;
}

async function initialize(api: VaultApi, store: KeyStore, { shares, threshold, cluster }: OpenOptions, signal?: AbortSignal): Promise<void> {
  // Keys of an earlier Vault, whose data are gone: this one is empty.
  if (await store.read()) await store.putAside();
  await store.attempt.begin(cluster);
  signal?.throwIfAborted();
  // Not cancellable: keys that Vault has given exist nowhere else until they are written.
  const { keys, rootToken } = await api.init(shares, threshold).catch((error: unknown) => {
    throw error instanceof VaultError && HALF_INITIALIZED.test(error.message) ? new VaultKeysMissingError(
      `Vault ended in the middle of its initialisation: its storage was begun, but it has no keys and never will (${error.message}). ` +
      'Nothing was ever stored in it: delete its data volume and its pod, then deploy again; a sandbox is begun anew with: ananta down --purge. Data volumes are never deleted without being told to.',
    ) : error;
  });
  await store.write({ version: 1, cluster, initializedAt: new Date().toISOString(), threshold, keys, rootToken });
  await store.attempt.end();
}

async function keysFor(store: KeyStore): Promise<VaultKeys> {
  const kept = await store.read();
  if (kept) {
    await store.attempt.end();
    return kept;
  }
  if (await store.attempt.began()) {
    throw new VaultKeysMissingError(
      `Vault was initialised, but the answer with its keys never arrived here (the note ${store.path}.init-began is from that attempt). ` +
      'Nobody has these keys and nothing was stored in this Vault yet: delete its data volume and its pod, then deploy again. It is never initialised a second time over existing data.',
    );
  }
  throw new VaultKeysMissingError(`Vault is sealed, and the file with its unseal keys is missing: ${store.path}. Restore that file from your backup, or unseal Vault by hand, then deploy again. Nothing was changed.`);
}

/** With raft storage a server that was just unsealed needs a moment to become the active one. */
async function becomesActive(api: VaultApi, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + BECOMES_ACTIVE_MILLISECONDS;
  for (;;) {
    const { sealed, standby } = await api.health(signal);
    if (!sealed && !standby) return;
    if (Date.now() > deadline) throw new VaultSealedError('Vault was unsealed, but has not become active within 15 s');
    await sleep(50, undefined, signal ? { signal } : {});
  }
}
