import type { Clients } from '../clients/index.ts';
import type { Activities } from '../contract/activities.ts';
import type { DeployPlan } from '../contract/plan.ts';
import { buildPlan } from '../plan/decide.ts';
import { allDigests } from '../plan/inputs.ts';
import { assertTarget, currentEnvironment } from './context.ts';
import { observeCluster } from './observe/cluster.ts';
import { beating, type ScopeOf } from './scope.ts';

/** What will be done to each service and why, from catalog, environment and cluster; changes nothing. */
export function makePlan(clients: Clients, scopeOf: ScopeOf): Activities['makePlan'] {
  return async ({ run }) => {
    const scope = scopeOf();
    return beating(scope, () => 'plans', async () => {
      const environment = await currentEnvironment(clients);
      await assertTarget(clients, run, scope.signal);
      return planFor(clients, environment, run.imageTags, scope.signal);
    });
  };
}

async function planFor(clients: Clients, environment: Awaited<ReturnType<typeof currentEnvironment>>, imageTags: Readonly<Record<string, string>>, signal: AbortSignal): Promise<DeployPlan> {
  const [digests, observed] = await Promise.all([
    allDigests(clients.catalog, environment, imageTags, clients.config),
    observeCluster(clients, environment, signal),
  ]);
  return buildPlan({ catalog: clients.catalog, environment, digests, observed });
}
