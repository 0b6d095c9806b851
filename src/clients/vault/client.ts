/** Vault of one environment: its state, its keys, and the two who may talk to it, root and deployer. */
import type { Connections } from '../../environment/connections.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import type { Redactor } from '../redact.ts';
import { createVaultApi, type VaultApi, type VaultHealth } from './api.ts';
import { createDeployer, type Deployer } from './deployer.ts';
import { VaultKeysMissingError, VaultSealedError, VaultUnreachableError, VaultWaitsForPeopleError } from './errors.ts';
import type { KeyStore } from './keys.ts';
import { createKeyFile } from './keys-file.ts';
import { openVault, type OpenOptions, unsealVault, type VaultServer } from './open.ts';
import { createRoot, type Root } from './root.ts';
import type { Tunnel } from './tunnel.ts';

export type VaultState = 'absent' | 'unreachable' | 'uninitialized' | 'sealed' | 'open';

export interface VaultClient {
  api: VaultApi;
  keys: KeyStore;
  root: Root;
  /** Vault's state as it reports it; never throws for a Vault that does not answer. */
  state(signal?: AbortSignal): Promise<{ state: VaultState; detail: string }>;
  health(signal?: AbortSignal): Promise<VaultHealth>;
  /** Each server whose pod runs, the first one first. */
  servers(signal?: AbortSignal): Promise<VaultServer[]>;
  /** Initialises it if nobody has, and unseals it. */
  open(options: OpenOptions, signal?: AbortSignal): Promise<{ initialized: boolean; unsealed: boolean }>;
  /** Unseals every server that is sealed. @returns false when all were open. @throws as `openVault` */
  unseal(signal?: AbortSignal): Promise<boolean>;
  /** Runs as the deployer; a Vault that was sealed by a restart is unsealed first. */
  asDeployer: Deployer['run'];
  /** Forgets the deployer's token, after its role was changed. */
  forgetLogin(): void;
  close(): void;
}

export interface VaultOptions {
  connection: Connections['vault'];
  /** Where unseal keys are kept; a file of this machine when absent. */
  keys?: KeyStore;
  /** Address of a Vault that others run: it is only used, never initialised or unsealed. */
  external?: string;
  /** For the commands in messages to people. */
  environment?: string;
  /** For the deployer's login. */
  kubernetes: Pick<KubernetesClient, 'tokenFor'>;
  tunnel: Tunnel;
  redactor: Redactor;
}

export function createVaultClient({
  connection,
  keys: keyStore,
  external,
  environment,
  kubernetes,
  tunnel,
  redactor,
}: VaultOptions): VaultClient {
  const api = createVaultApi(tunnel);
  const keys = keyStore ?? createKeyFile(connection.keysFile, redactor);
  const deployer = createDeployer(api, kubernetes, redactor);
  const people = environment === undefined ? {} : { environment };
  const servers = async (signal?: AbortSignal): Promise<VaultServer[]> => {
    const names = await tunnel.pods(signal);
    return names.map((name) => ({ name, api: names.length === 1 ? api : createVaultApi(tunnel.at(name)) }));
  };

  const state = async (signal?: AbortSignal): Promise<{ state: VaultState; detail: string }> => {
    try {
      const healths = await healthsOf(await servers(signal), signal);
      return healths.length > 0 ? judged(healths) : await absentOr('unreachable', 'no pod of Vault is running', signal);
    } catch (error) {
      signal?.throwIfAborted();
      return absentOr('unreachable', error instanceof Error ? error.message : String(error), signal);
    }
  };
  const absentOr = async (
    otherwise: VaultState,
    detail: string,
    signal?: AbortSignal,
  ): Promise<{ state: VaultState; detail: string }> =>
    (await tunnel.hasPod(signal)) ? { state: otherwise, detail } : { state: 'absent', detail: 'Vault has no pod' };

  const unseal = async (signal?: AbortSignal): Promise<boolean> =>
    external === undefined
      ? unsealVault(servers, keys, people, signal)
      : (await assertOpen(api, external, signal)).unsealed;

  return {
    api,
    keys,
    unseal,
    root: createRoot(api, keys, redactor, people),
    state,
    servers,
    health: (signal) => api.health(signal),
    open: (options, signal) =>
      external === undefined
        ? openVault(servers, keys, { ...people, ...options }, signal)
        : assertOpen(api, external, signal),
    asDeployer: async (work, signal) => {
      try {
        return await deployer.run(work, signal);
      } catch (error) {
        if (!(error instanceof VaultSealedError)) throw error;
        await unseal(signal);
        return deployer.run(work, signal);
      }
    },
    forgetLogin: () => {
      deployer.forget();
    },
    close: () => {
      tunnel.close();
    },
  };
}

/** @throws VaultKeysMissingError, VaultWaitsForPeopleError: it is others who have to do something */
async function assertOpen(
  api: VaultApi,
  address: string,
  signal?: AbortSignal,
): Promise<{ initialized: boolean; unsealed: boolean }> {
  const { initialized, sealed } = await api.health(signal);
  if (!initialized)
    throw new VaultKeysMissingError(
      `The Vault at ${address} is not initialised. Others run it (vault.external), so it is left to them. Nothing was changed.`,
    );
  if (sealed)
    throw new VaultWaitsForPeopleError(
      `The Vault at ${address} is sealed, and waits for those who run it (vault.external).`,
    );
  return { initialized: false, unsealed: false };
}

interface Seen {
  name: string;
  health: VaultHealth;
}

/** Of several servers, those that do not answer are left out as long as another does. */
async function healthsOf(servers: readonly VaultServer[], signal?: AbortSignal): Promise<Seen[]> {
  const answers = await Promise.allSettled(
    servers.map(async ({ name, api }) => ({ name, health: await api.health(signal) })),
  );
  const seen = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const failure = answers.find((answer) => answer.status === 'rejected');
  if (seen.length === 0 && failure !== undefined) throw failure.reason;
  return seen;
}

/** Vault counts as sealed while any of its servers is: each has to be unsealed. */
function judged(seen: readonly Seen[]): { state: VaultState; detail: string } {
  const { version } = seen[0]?.health ?? { version: '' };
  const several = seen.length > 1;
  if (seen.every(({ health }) => !health.initialized))
    return { state: 'uninitialized', detail: `Vault ${version} is not initialised` };
  const closed = seen.filter(({ health }) => health.sealed || !health.initialized);
  if (closed.length > 0)
    return {
      state: 'sealed',
      detail: `Vault ${version} is sealed${several ? ` (${closed.map(({ name }) => name).join(', ')})` : ''}`,
    };
  return {
    state: 'open',
    detail: `Vault ${version} is open${several ? `, ${seen.length} servers, active: ${seen.find(({ health }) => !health.standby)?.name ?? 'none'}` : ''}`,
  };
}

/** Whether waiting may help: Vault is restarting, or its pod is. */
export function isAway(error: unknown): boolean {
  return error instanceof VaultUnreachableError || error instanceof VaultSealedError;
}
