import { currentEnvironment } from '../environment.ts';
import { resolve } from 'node:path';
import type { Clients } from '../../clients/index.ts';
import { type OpenOptions, readPublicKey } from '../../clients/vault/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { VaultSettings } from '../../environment/fields/vault.ts';
import type { EffectScope } from '../effect.ts';
import { refuseLoss } from './secrets/loss.ts';
import { replaceOutdatedPods } from './replace-pods.ts';

/**
 * Initialises Vault if nobody has, keeps the keys where the environment says, unseals all its servers, replaces pods of
 * an older template.
 */
export async function openVault(
  clients: Clients,
  run: InputOf<'openVault'>,
  scope: EffectScope,
): OutputOf<'openVault'> {
  scope.doing('opens Vault');

  const [environment] = await Promise.all([currentEnvironment(clients)]);
  const options = {
    ...(await openOptions(environment.vault, clients.config.repoRoot)),
    cluster: run.clusterUid,
    beforeInit: (signal?: AbortSignal) => refuseLoss(clients, run.environment, signal),
  };
  const open = (): ReturnType<typeof clients.vault.open> => clients.vault.open(options, scope.signal);
  const opened = await open();
  const replaced = await replaceOutdatedPods(clients, {
    open,
    signal: scope.signal,
    onStatus: (text) => {
      scope.doing(text);
    },
  });
  return replaced.length === 0 ? opened : { ...opened, unsealed: true };
}

/** @param folder below which relative names of public keys lie. @throws PublicKeyError */
export async function openOptions(
  { shares, threshold, replicas, seal, keys }: VaultSettings,
  folder: string,
): Promise<Omit<OpenOptions, 'cluster'>> {
  const read = (file: string): ReturnType<typeof readPublicKey> => readPublicKey(resolve(folder, file));
  return {
    shares,
    threshold,
    replicas,
    ...(seal === undefined ? {} : { autoUnseal: true }),
    ...(keys.publicKeys === undefined ? {} : { publicKeys: await Promise.all(keys.publicKeys.map(read)) }),
    ...(keys.rootTokenKey === undefined ? {} : { rootTokenKey: await read(keys.rootTokenKey) }),
  };
}
