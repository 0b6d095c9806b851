import type { Clients } from '../../clients/index.ts';
import type { Activities } from '../../contract/activities.ts';
import { assertTarget } from '../context.ts';
import { beating, type ScopeOf } from '../scope.ts';

/** Initialises Vault if nobody has, keeps the keys where the environment says, unseals it. */
export function openVault(clients: Clients, scopeOf: ScopeOf): Activities['openVault'] {
  return async (run) => {
    const scope = scopeOf();
    return beating(scope, () => 'opens Vault', async () => {
      await assertTarget(clients, run, scope.signal);
      const { shares, threshold } = clients.environment.vault;
      return clients.vault.open({ shares, threshold, cluster: run.clusterUid }, scope.signal);
    });
  };
}
