/**
 * Work that only root may do: mounts, auth methods, the deployer's own role. The token is the one from initialisation
 * while that exists, otherwise a new one made from the unseal keys; either stands in the keys file until it is revoked.
 */
import { z } from 'zod';
import type { Redactor } from '../redact.ts';
import type { VaultApi, VaultSession } from './api.ts';
import { VaultError, VaultKeysMissingError, VaultWaitsForPeopleError } from './errors.ts';
import type { KeyStore, VaultKeys } from './keys.ts';

const lookupSchema = z.object({ data: z.object({ policies: z.array(z.string()).default([]) }) });

export interface Root {
  /**
   * Whether a root token lies in the keys file: Vault's initialisation is not finished, or the environment keeps it.
   */
  isKept(): Promise<boolean>;
  run<T>(work: (session: VaultSession) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /**
   * Keeps a root token that a person has made, until the end of Vault's initialisation revokes it. @throws VaultError
   * 403 when it is none
   */
  accept(token: string, signal?: AbortSignal): Promise<void>;
  /** Revokes the token and removes it from the keys file; nothing happens when there is none. */
  revoke(signal?: AbortSignal): Promise<boolean>;
}

export function createRoot(
  api: VaultApi,
  store: KeyStore,
  redactor: Redactor,
  { environment = 'ENVIRONMENT' }: { environment?: string } = {},
): Root {
  const kept = async (): Promise<VaultKeys> => {
    const keys = await store.read();
    if (!keys)
      throw new VaultKeysMissingError(
        `Vault has to be configured as root, and the record of its unseal keys is missing: ${store.path}. Restore it from your backup, then deploy again.`,
      );
    return keys;
  };
  const withoutToken = ({ rootToken: _gone, encryptedRootToken: _handedIn, ...keys }: VaultKeys): VaultKeys => keys;

  const token = async (signal?: AbortSignal): Promise<string> => {
    const keys = await kept();
    if (keys.rootToken !== undefined && (await isValid(api, keys.rootToken, signal))) return keys.rootToken;
    if (keys.encryptedFor !== undefined || keys.encryptedRootToken !== undefined) {
      throw new VaultWaitsForPeopleError(
        `Vault has to be configured as root, and waits for ${
          keys.encryptedRootToken === undefined
            ? `the owners of its shares (${(keys.encryptedFor ?? []).join(', ')}) to make a root token: vault operator generate-root`
            : `whoever can decrypt its first root token (encryptedRootToken in ${store.path})`
        }. Then, with the token on standard input: npm run ananta -- vault root --env ${environment}. It is used once and revoked.`,
      );
    }
    const made = await api.generateRoot(keys.keys, signal);
    redactor.learn(made);
    await store.write({ ...withoutToken(keys), rootToken: made });
    return made;
  };

  return {
    isKept: async () => (await store.read())?.rootToken !== undefined,
    run: async (work, signal) => work(api.withToken(await token(signal))),
    accept: async (given, signal) => {
      redactor.learn(given);
      const keys = await kept();
      const { policies } = lookupSchema.parse(await api.withToken(given).read('auth/token/lookup-self', signal)).data;
      if (!policies.includes('root')) throw new VaultError('auth/token/lookup-self', 403, 'this token is not root');
      await store.write({ ...withoutToken(keys), rootToken: given });
    },
    revoke: async (signal) => {
      const keys = await store.read();
      if (keys?.rootToken === undefined) return false;
      if (await isValid(api, keys.rootToken, signal))
        await api.withToken(keys.rootToken).write('auth/token/revoke-self', {}, signal);
      await store.write(withoutToken(keys));
      return true;
    },
  };
}

async function isValid(api: VaultApi, token: string, signal?: AbortSignal): Promise<boolean> {
  try {
    return (await api.withToken(token).read('auth/token/lookup-self', signal)) !== undefined;
  } catch (error) {
    if (error instanceof VaultError && error.status === 403) return false;
    throw error;
  }
}
