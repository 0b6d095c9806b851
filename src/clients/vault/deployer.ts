/** The deployer's own session: logs in as a service account, and again when its token has run out or was refused. */
import { DEPLOYER_SERVICE_ACCOUNT, VAULT } from '../../contract/names.ts';
import type { KubernetesClient } from '../kubernetes/index.ts';
import type { Redactor } from '../redact.ts';
import type { VaultApi, VaultSession } from './api.ts';
import { VaultError } from './errors.ts';

/** Shortest that TokenRequest grants; it is needed for the login alone. */
const JWT_SECONDS = 600;

export interface Deployer {
  /** Runs with the deployer's token. A 403 leads to one new login and one more try. */
  run<T>(work: (session: VaultSession) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Drops the token: the next `run` logs in anew. */
  forget(): void;
}

export function createDeployer(
  api: VaultApi,
  kubernetes: Pick<KubernetesClient, 'tokenFor'>,
  redactor: Redactor,
): Deployer {
  let current: Promise<{ session: VaultSession; until: number }> | undefined;

  const login = async (): Promise<{ session: VaultSession; until: number }> => {
    const jwt = await kubernetes.tokenFor(DEPLOYER_SERVICE_ACCOUNT, VAULT.audience, JWT_SECONDS);
    const { token, seconds } = await api.login(VAULT.authMount, VAULT.deployerRole, jwt.token);
    redactor.learn(jwt.token, token);
    return { session: api.withToken(token), until: Date.now() + seconds * 800 };
  };
  const session = async (): Promise<VaultSession> => {
    const known = await current?.catch(() => undefined);
    if (known && known.until > Date.now()) return known.session;
    current = login();
    return (await current).session;
  };

  return {
    forget: () => {
      current = undefined;
    },
    run: async (work, signal) => {
      signal?.throwIfAborted();
      const first = await session();
      try {
        return await work(first);
      } catch (error) {
        if (!(error instanceof VaultError) || error.status !== 403) throw error;
        current = undefined;
        return work(await session());
      }
    },
  };
}
