import { resolve } from 'node:path';
import type { Clients } from '../../clients/index.ts';
import { type OpenOptions, readPublicKey } from '../../clients/vault/index.ts';
import type { Activities } from '../../contract/activities.ts';
import type { VaultSettings } from '../../environment/vault.ts';
import { assertTarget } from '../context.ts';
import { beating, type ScopeOf } from '../scope.ts';

/** Initialises Vault if nobody has, keeps the keys where the environment says, unseals all its servers. */
export function openVault(clients: Clients, scopeOf: ScopeOf): Activities['openVault'] {
  return async (run) => {
    const scope = scopeOf();
    return beating(scope, () => 'opens Vault', async () => {
      await assertTarget(clients, run, scope.signal);
      return clients.vault.open({ ...await openOptions(clients.environment.vault, clients.config.repoRoot), cluster: run.clusterUid }, scope.signal);
    });
  };
}

/** @param folder below which relative names of public keys lie. @throws PublicKeyError */
export async function openOptions({ shares, threshold, replicas, seal, keys }: VaultSettings, folder: string): Promise<Omit<OpenOptions, 'cluster'>> {
  const read = (file: string): ReturnType<typeof readPublicKey> => readPublicKey(resolve(folder, file));
  return {
    shares, threshold, replicas,
    ...(seal === undefined ? {} : { autoUnseal: true }),
    ...(keys.publicKeys === undefined ? {} : { publicKeys: await Promise.all(keys.publicKeys.map(read)) }),
    ...(keys.rootTokenKey === undefined ? {} : { rootTokenKey: await read(keys.rootTokenKey) }),
  };
}
