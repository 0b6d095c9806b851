import type { Catalog } from '../catalog/schema.ts';
import type { Clients } from '../clients/index.ts';
import type { Activities } from '../contract/activities.ts';
import type { Selection } from '../contract/deploy.ts';
import type { DeployPlan } from '../contract/plan.ts';
import type { Environment } from '../environment/schema.ts';
import { PlanRefusedError } from '../plan/chart-source.ts';
import { buildPlan } from '../plan/decide.ts';
import { allDigests } from '../plan/inputs.ts';
import { ForeignReleaseError } from '../plan/foreign.ts';
import { type ObservedCluster, releaseKey } from '../plan/observed.ts';
import { selectPlan } from '../plan/selection.ts';
import { assertTarget, currentEnvironment } from './context.ts';
import { observeCluster } from './observe/cluster.ts';
import { assertShown } from './plan-binding.ts';
import { assertReadable } from './release/readable.ts';
import { beating, type ScopeOf } from './scope.ts';
import { findLossBefore, lossText } from './vault/loss.ts';

/** What will be done to each service and why, from catalog, environment and cluster; changes nothing. */
export function makePlan(clients: Clients, scopeOf: ScopeOf): Activities['makePlan'] {
  return async ({ run, selection, expectedDigest }) => {
    const scope = scopeOf();
    return beating(
      scope,
      () => 'plans',
      async () => {
        const environment = await currentEnvironment(clients);
        await assertTarget(clients, run, scope.signal, 'deploy');
        const plan = await planFor(clients, environment, run.imageTags, scope.signal, selection);
        assertShown(expectedDigest, plan);
        return plan;
      },
    );
  };
}

/**
 * Looks at the catalog, the checkout and the cluster; changes nothing. The command `plan` sees the same as a
 * deployment.
 * @throws SelectionError, DependencyMissingError, PlanRefusedError, ForeignReleaseError, DamagedRecordError
 */
export async function planFor(
  clients: Clients,
  environment: Environment,
  imageTags: Readonly<Record<string, string>>,
  signal: AbortSignal,
  selection?: Selection,
): Promise<DeployPlan> {
  const [digests, observed] = await Promise.all([
    allDigests(clients.catalog, environment, imageTags, clients.config),
    observeCluster(clients, environment, signal),
  ]);
  await refuseOverOldData(clients, environment.name, observed, signal);
  const plan = decidePlan(clients.catalog, environment, digests, observed, selection);
  await assertReadable(clients.kubernetes, plan, observed, signal);
  return plan;
}

/** @throws PlanRefusedError where Vault is gone, and data that were made with its values are not */
export async function refuseOverOldData(
  clients: Clients,
  environment: string,
  { vault }: Pick<ObservedCluster, 'vault'>,
  signal: AbortSignal,
): Promise<void> {
  if (vault !== 'absent' && vault !== 'uninitialized') return;
  const loss = await findLossBefore(clients, vault, signal);
  if (loss !== undefined) throw new PlanRefusedError(lossText(environment, loss, 'Nothing was changed.'));
}

/** @throws SelectionError, DependencyMissingError, PlanRefusedError, ForeignReleaseError */
export function decidePlan(
  catalog: Catalog,
  environment: Environment,
  digests: ReadonlyMap<string, string>,
  observed: ObservedCluster,
  selection?: Selection,
): DeployPlan {
  const plan = buildPlan({ catalog, environment, digests, observed });
  const selected = selection ? selectPlan(plan, catalog, selection, observed) : plan;
  refuseForeign(selected, observed);
  return selected;
}

/** What was not selected is nobody's business here. @throws ForeignReleaseError */
function refuseForeign({ environment, services }: DeployPlan, { foreign }: ObservedCluster): void {
  const inTheWay = services
    .flatMap(({ steps }) => steps)
    .filter(({ kind, action }) => kind === 'release' && action !== 'excluded')
    .flatMap(({ namespace, name }) => foreign?.get(releaseKey(namespace, name)) ?? []);
  if (inTheWay.length > 0) throw new ForeignReleaseError(environment, inTheWay);
}
