/** Vault of one environment: its state, its keys, and the two who may talk to it, root and deployer. */
import type { Connections } from '../../environment/connections.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import type { Redactor } from '../redact.ts';
import { createVaultApi, type VaultApi, type VaultHealth } from './api.ts';
import { createDeployer, type Deployer } from './deployer.ts';
import { VaultSealedError, VaultUnreachableError } from './errors.ts';
import { createKeyStore, type KeyStore } from './keys.ts';
import { openVault, type OpenOptions, unsealVault } from './open.ts';
import { createRoot, type Root } from './root.ts';
import type { Tunnel } from './tunnel.ts';

export type VaultState = 'absent' | 'unreachable' | 'uninitialized' | 'sealed' | 'open';

export interface VaultClient {
  api: VaultApi;
  keys: KeyStore;
  root: Root;
  /** What Vault says of itself, told apart; never throws for a Vault that is away. */
  state(signal?: AbortSignal): Promise<{ state: VaultState; detail: string }>;
  health(signal?: AbortSignal): Promise<VaultHealth>;
  /** Initialises it if nobody has, and unseals it. */
  open(options: OpenOptions, signal?: AbortSignal): Promise<{ initialized: boolean; unsealed: boolean }>;
  /** Runs as the deployer; a Vault that was sealed by a restart is unsealed first. */
  asDeployer: Deployer['run'];
  /** Forgets the deployer's token, after its role was changed. */
  forgetLogin(): void;
  close(): void;
}

export interface VaultOptions {
  connection: Connections['vault'];
  /** For the deployer's login. */
  kubernetes: Pick<KubernetesClient, 'tokenFor'>;
  tunnel: Tunnel;
  redactor: Redactor;
}

export function createVaultClient({ connection, kubernetes, tunnel, redactor }: VaultOptions): VaultClient {
  const api = createVaultApi(tunnel);
  const keys = createKeyStore(connection.keysFile, redactor);
  const deployer = createDeployer(api, kubernetes, redactor);

  const state = async (signal?: AbortSignal): Promise<{ state: VaultState; detail: string }> => {
    try {
      const { initialized, sealed, version } = await api.health(signal);
      if (!initialized) return { state: 'uninitialized', detail: `Vault ${version} is not initialised` };
      return sealed ? { state: 'sealed', detail: `Vault ${version} is sealed` } : { state: 'open', detail: `Vault ${version} is open` };
    } catch (error) {
      signal?.throwIfAborted();
      if (!(await tunnel.hasPod(signal))) return { state: 'absent', detail: 'Vault has no pod' };
      return { state: 'unreachable', detail: error instanceof Error ? error.message : String(error) };
    }
  };

  return {
    api,
    keys,
    root: createRoot(api, keys, redactor),
    state,
    health: (signal) => api.health(signal),
    open: (options, signal) => openVault(api, keys, options, signal),
    asDeployer: async (work, signal) => {
      try {
        return await deployer.run(work, signal);
      } catch (error) {
        if (!(error instanceof VaultSealedError)) throw error;
        await unsealVault(api, keys, signal);
        return deployer.run(work, signal);
      }
    },
    forgetLogin: () => { deployer.forget(); },
    close: () => {
      tunnel.close();
    },
  };
}

/** Whether waiting may help: Vault is restarting, or its pod is. */
export function isAway(error: unknown): boolean {
  return error instanceof VaultUnreachableError || error instanceof VaultSealedError;
}
