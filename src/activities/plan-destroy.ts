import type { Clients } from '../clients/index.ts';
import type { Activities } from '../contract/activities.ts';
import type { OperationPlan } from '../contract/plan.ts';
import { buildDestroyPlan } from '../plan/destroy/destroy.ts';
import { assertTarget, currentEnvironment } from './context.ts';
import { survey } from './destroy/survey.ts';
import { assertShown, destructionDigest } from './plan-binding.ts';
import { markedByHelm } from './release/orphans.ts';
import { foreignReleases } from './release/ours.ts';
import { allRevisions, newestOfEach } from './release/revisions.ts';
import { withHeartbeat, type ScopeOf } from './scope.ts';

/** What has to be removed, dependents first, from what the cluster holds; changes nothing. */
export function planDestroy(clients: Clients, scopeOf: ScopeOf): Activities['planDestroy'] {
  return async ({ run, deleteData, expectedDigest }) => {
    const scope = scopeOf();
    return withHeartbeat(
      scope,
      () => 'plans',
      async () => {
        await assertTarget(clients, run, scope.signal, 'destroy');
        if (expectedDigest === undefined) return destroyPlanOf(clients, deleteData, scope.signal);
        const [plan, found] = await Promise.all([
          destroyPlanOf(clients, deleteData, scope.signal),
          survey(clients, scope.signal),
        ]);
        assertShown(expectedDigest, plan, destructionDigest(plan, found, deleteData));
        return plan;
      },
    );
  };
}

/** Also for the command that asks before it destroys. */
export async function destroyPlanOf(
  clients: Pick<Clients, 'environment' | 'config' | 'kubernetes' | 'catalog'>,
  deleteData: boolean,
  signal?: AbortSignal,
): Promise<OperationPlan> {
  const { kubernetes, catalog } = clients;
  const [environment, revisions, marked] = await Promise.all([
    currentEnvironment(clients),
    allRevisions(kubernetes, signal),
    markedByHelm(kubernetes, signal),
  ]);
  return buildDestroyPlan({
    catalog,
    environment,
    releases: newestOfEach(revisions),
    foreign: await foreignReleases(clients, revisions, signal),
    marked: new Map([...marked].map(([key, objects]) => [key, objects.length])),
    deleteData,
  });
}
