/**
 * From whatever state Vault's servers are in to open ones: initialised once, keys kept before anything else happens,
 * each unsealed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { VaultApi, VaultHealth } from './api.ts';
import {
  VaultError,
  VaultKeysMissingError,
  VaultSealedError,
  VaultUnreachableError,
  VaultWaitsForPeopleError,
} from './errors.ts';
import type { KeyStore, VaultKeys } from './keys.ts';
import { type PublicKey, PublicKeyError } from './public-keys.ts';

export interface OpenOptions {
  shares: number;
  threshold: number;
  /** kube-system's uid. */
  cluster: string;
  /** Servers that there have to be before one of them is initialised; 1 when absent. */
  replicas?: number;
  /** A key service unseals each server. */
  autoUnseal?: boolean;
  /** Public keys of the owners of the shares, one for each share. */
  publicKeys?: readonly PublicKey[];
  rootTokenKey?: PublicKey;
  /**
   * Asked when every server says that it is empty, before one of them is initialised; what it throws ends the opening.
   */
  beforeInit?: (signal?: AbortSignal) => Promise<void>;
  /** The environment's name, for the commands in messages. */
  environment?: string;
}

/** One server, through a tunnel of its own. */
export interface VaultServer {
  name: string;
  api: VaultApi;
}

/** The servers whose pods run; the first one is initialised first. */
export type Servers = (signal?: AbortSignal) => Promise<VaultServer[]>;

/** What Vault says whose raft storage exists without the keys that would open it. */
const HALF_INITIALIZED = /cluster already has state/;
const BECOMES_ACTIVE_MILLISECONDS = 15_000;
/** A server that has lost or never had data joins by itself: its configuration names the others. */
const JOINS_MILLISECONDS = 45_000;
const OPENS_ITSELF_MILLISECONDS = 30_000;
const JOIN_ANSWERED_MILLISECONDS = 8_000;

/**
 * @throws VaultKeysMissingError, VaultSealedError when it does not open with the keys at hand,
 * VaultWaitsForPeopleError, VaultUnreachableError
 */
export async function openVault(
  servers: Servers,
  store: KeyStore,
  options: OpenOptions,
  signal?: AbortSignal,
): Promise<{ initialized: boolean; unsealed: boolean }> {
  const initialized = await initializeOnce(servers, store, options, signal);
  const unsealed = await unsealVault(servers, store, options, signal);
  return { initialized, unsealed: initialized || unsealed };
}

/**
 * Initialises only when every server says that it is empty: a server that does not answer may hold the data, and there
 * would be two Vaults. @returns whether this call initialised it
 */
async function initializeOnce(
  servers: Servers,
  store: KeyStore,
  options: OpenOptions,
  signal?: AbortSignal,
): Promise<boolean> {
  const running = await servers(signal);
  const first = running[0];
  if (first === undefined) throw new VaultUnreachableError('no server of Vault is running');
  const states = await Promise.all(running.map(({ api }) => api.health(signal)));
  if (states.some(({ initialized }) => initialized)) return false;
  const { replicas = 1 } = options;
  if (running.length < replicas)
    throw new VaultUnreachableError(
      `${running.length} of ${replicas} servers of Vault run; it is initialised when all answer, since one that is away may hold data`,
    );
  await options.beforeInit?.(signal);
  await initialize(first.api, store, options, signal);
  return true;
}

/** @returns false when all were open already */
export async function unsealVault(
  servers: Servers,
  store: KeyStore,
  people: Pick<OpenOptions, 'environment'> = {},
  signal?: AbortSignal,
): Promise<boolean> {
  const running = await servers(signal);
  const states = await Promise.all(
    running.map(async (server) => ({ server, health: await answerOf(server, running.length, signal) })),
  );
  const closed = states.filter(({ health }) => health?.sealed);
  if (closed.length > 0) {
    const kept = await keysFor(store);
    // One server after the other: a server joins only when another one is unsealed.
    for (const { server } of initializedFirst(closed)) await unsealServer(server, kept, store, running, people, signal);
  }
  if (states.every(({ health }) => health === undefined)) throw new VaultUnreachableError('no server of Vault answers');
  await becomesActive(running, signal);
  return closed.length > 0;
}

/** Where there are others, one that does not answer is left to a later attempt. */
async function answerOf({ api }: VaultServer, count: number, signal?: AbortSignal): Promise<VaultHealth | undefined> {
  try {
    return await api.health(signal);
  } catch (error) {
    if (count === 1 || !(error instanceof VaultUnreachableError)) throw error;
    return undefined;
  }
}

function initializedFirst(states: { server: VaultServer; health: VaultHealth | undefined }[]): typeof states {
  return [...states].sort((a, b) => Number(b.health?.initialized) - Number(a.health?.initialized));
}

async function unsealServer(
  server: VaultServer,
  kept: VaultKeys,
  store: KeyStore,
  running: readonly VaultServer[],
  people: Pick<OpenOptions, 'environment'>,
  signal?: AbortSignal,
): Promise<void> {
  const { name, api } = server;
  const joins = await until(JOINS_MILLISECONDS, async () => (await api.health(signal)).initialized, signal);
  if (!joins)
    throw new VaultSealedError(
      `${name} has not joined the other servers of Vault within ${JOINS_MILLISECONDS / 1000} s: look at its log, and at retry_join in its configuration`,
    );
  if (kept.recovery) {
    if (await until(OPENS_ITSELF_MILLISECONDS, async () => !(await api.health(signal)).sealed, signal)) return;
    throw new VaultSealedError(
      `${name} is initialised, but its key service has not opened it within ${OPENS_ITSELF_MILLISECONDS / 1000} s: check vault.seal in the environment's file, the key service, and the log of ${name}`,
    );
  }
  if (kept.encryptedFor !== undefined) throw await waitsForPeople(running, kept, people, signal);
  const opened =
    running.length === 1
      ? await giveKeys(api, kept.keys, signal)
      : await until(
          OPENS_ITSELF_MILLISECONDS,
          () => joinWithKeys(api, kept.keys.slice(0, kept.threshold), signal),
          signal,
        );
  if (!opened)
    throw new VaultSealedError(
      `${running.length === 1 ? 'Vault' : name} stays sealed after all ${kept.keys.length} keys of ${store.path} were used: they are not this Vault's keys, or there are too few${
        running.length === 1
          ? ''
          : `; or it has left Vault's raft before (vault.replicas was smaller once), and its volume is of then: delete its claim data-${name}, then its pod`
      }`,
    );
}

/** @returns whether it is open now */
async function giveKeys(api: VaultApi, keys: readonly string[], signal?: AbortSignal): Promise<boolean> {
  for (const key of keys) if (!(await api.unseal(key, signal))) return true;
  return false;
}

/**
 * A server that joins opens only when its leader has taken its answer, some time after the last key; until then keys
 * that are given once more would disturb it. One whose leader was away begins anew.
 */
async function joinWithKeys(api: VaultApi, keys: readonly string[], signal?: AbortSignal): Promise<boolean> {
  const isOpen = async (): Promise<boolean> => !(await api.health(signal)).sealed;
  try {
    return (
      (await isOpen()) ||
      (await giveKeys(api, keys, signal)) ||
      (await until(JOIN_ANSWERED_MILLISECONDS, isOpen, signal))
    );
  } catch (error) {
    if (!(error instanceof VaultError) || error.status < 500) throw error;
    await api.resetUnseal(signal);
    return false;
  }
}

async function waitsForPeople(
  running: readonly VaultServer[],
  { threshold, encryptedFor = [] }: VaultKeys,
  { environment = 'ENVIRONMENT' }: Pick<OpenOptions, 'environment'>,
  signal?: AbortSignal,
): Promise<VaultWaitsForPeopleError> {
  const sealed = (
    await Promise.all(running.map(async ({ name, api }) => ({ name, ...(await api.sealStatus(signal)) })))
  ).filter((status) => status.sealed);
  const progress = sealed.map(({ name, given }) => `${name}: ${given} of ${threshold} shares given`).join(', ');
  return new VaultWaitsForPeopleError(
    `Vault waits to be unsealed by ${threshold} of the ${encryptedFor.length} owners of its shares (${encryptedFor.join(', ')}). ${progress}. Each runs, on a terminal: npm run ananta -- vault unseal --env ${environment}`,
  );
}

async function initialize(api: VaultApi, store: KeyStore, options: OpenOptions, signal?: AbortSignal): Promise<void> {
  const { shares, threshold, cluster, autoUnseal, publicKeys, rootTokenKey } = options;
  // Keys of an earlier Vault, whose data are gone: this one is empty.
  if (await store.read()) await store.putAside();
  await store.attempt.begin(cluster);
  signal?.throwIfAborted();
  // Not cancellable: until they are written, the keys from Vault exist only in this process.
  const { keys, rootToken } = await api
    .init({
      shares,
      threshold,
      autoUnseal,
      publicKeys: publicKeys?.map(({ base64 }) => base64),
      rootTokenKey: rootTokenKey?.base64,
    })
    .catch((error: unknown) => {
      if (error instanceof VaultError && /pgp/i.test(error.message))
        throw new PublicKeyError(
          `Vault does not take a public key (${[...(publicKeys ?? []), ...(rootTokenKey ? [rootTokenKey] : [])].map(({ name }) => name).join(', ')}): ${error.message}. Each has to be a key that one can encrypt to. Nothing was initialised.`,
        );
      throw error instanceof VaultError && HALF_INITIALIZED.test(error.message)
        ? new VaultKeysMissingError(
            `Vault ended in the middle of its initialisation: its storage was begun, but it has no keys and never will (${error.message}). ` +
              'Nothing was ever stored in it: delete its data volume and its pod, then deploy again; a sandbox is begun anew with: ananta down --purge. Data volumes are never deleted without being told to.',
          )
        : error;
    });
  await store.write({
    version: 1,
    cluster,
    initializedAt: new Date().toISOString(),
    threshold,
    keys,
    ...(autoUnseal ? { recovery: true } : {}),
    ...(publicKeys === undefined ? {} : { encryptedFor: publicKeys.map(({ name }) => name) }),
    ...(rootTokenKey === undefined ? { rootToken } : { encryptedRootToken: rootToken }),
  });
  await store.attempt.end();
}

async function keysFor(store: KeyStore): Promise<VaultKeys> {
  const kept = await store.read();
  if (kept) {
    await store.attempt.end();
    return kept;
  }
  if (await store.attempt.began()) {
    const host = await store.attempt.by?.();
    const elsewhere =
      host === undefined
        ? 'Nobody has these keys'
        : `The attempt was made on ${host}: where that worker's state folder still exists, its next start brings the keys; else nobody has them`;
    throw new VaultKeysMissingError(
      `Vault was initialised, but the answer with its keys never arrived here (the note ${store.attempt.path} is from that attempt). ` +
        `${elsewhere}, and nothing was stored in this Vault yet: delete its data volume and its pod, then deploy again. It is never initialised a second time over existing data.`,
    );
  }
  throw new VaultKeysMissingError(
    `Vault is sealed, and the record of its unseal keys is missing: ${store.path}. Restore it from your backup, or unseal Vault by hand, then deploy again. Nothing was changed.`,
  );
}

/** With raft storage a server that was just unsealed needs a moment to become the active one. */
async function becomesActive(running: readonly VaultServer[], signal?: AbortSignal): Promise<void> {
  const active = await until(
    BECOMES_ACTIVE_MILLISECONDS,
    async () => {
      const states = await Promise.all(running.map((server) => answerOf(server, running.length, signal)));
      return states.some((health) => health !== undefined && !health.sealed && !health.standby);
    },
    signal,
  );
  if (!active)
    throw new VaultSealedError(
      `Vault was unsealed, but ${running.length === 1 ? 'it has not become active' : 'none of its servers has become the active one'} within 15 s`,
    );
}

/** Asks at least once. @returns false when the time is over */
async function until(milliseconds: number, holds: () => Promise<boolean>, signal?: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + milliseconds;
  for (let pause = 50; ; pause = Math.min(pause * 1.5, 1000)) {
    if (await holds()) return true;
    if (Date.now() > deadline) return false;
    await sleep(pause, undefined, signal ? { signal } : {});
  }
}
