/**
 * Checks at the beginning of every activity: the run belongs to this environment, and the cluster is the one that it
 * was planned for.
 */
import type { Clients } from '../clients/index.ts';
import { ClusterMismatchError } from '../clients/kubernetes/index.ts';
import { recentBinding } from '../clients/temporal/index.ts';
import type { ClusterBinding } from '../contract/cluster.ts';
import type { RunRef } from '../contract/operations/deploy.ts';
import { DeployError } from '../contract/errors.ts';
import { FAILURES } from '../contract/failures.ts';
import type { ClusterOwner } from '../contract/owner.ts';
import type { Operation } from '../contract/operations/plan.ts';
import { platformName } from '../environment/platform-folder.ts';
import { isOwner } from '../plan/ownership/ownership.ts';
import { requirePermitted } from '../plan/ownership/protection.ts';
import { currentEnvironment } from '../effects/environment.ts';
import { claimCluster, forgetOwner, protectCluster, recentOwner } from '../effects/owner/claim.ts';

/** @throws DeployError when a worker of another environment was given the run */
export function assertEnvironment(clients: Pick<Clients, 'environment'>, run: RunRef): void {
  if (run.environment === clients.environment.name) return;
  throw new DeployError(
    FAILURES.invalidInput,
    `This worker serves environment "${clients.environment.name}", the deployment is for "${run.environment}"`,
  );
}

/**
 * Before anything is changed: the cluster is the one that the run was planned for, the one that the environment is
 * bound to, and the environment's own; one that nobody has claimed yet is claimed. A protected one is changed only by
 * what was confirmed.
 * @param does `reads`: nothing is changed by it; `changes`: a step of the run's own operation; or the one operation
 * that it can belong to: the plan of that, whose making is its beginning
 * @throws ClusterMismatchError, OwnerMismatchError, NotConfirmedError
 */
export async function assertTarget(
  clients: Pick<Clients, 'environment' | 'kubernetes' | 'engine' | 'config' | 'catalog'>,
  run: RunRef,
  signal?: AbortSignal,
  does: 'reads' | 'changes' | Operation = 'changes',
): Promise<void> {
  assertEnvironment(clients, run);
  let bound = clients.engine && (await recentBinding(clients.engine, run.environment));
  // It may have been bound anew a moment ago.
  if (clients.engine && bound && bound.uid !== run.clusterUid)
    bound = await recentBinding(clients.engine, run.environment, 0);
  if (bound && bound.uid !== run.clusterUid) {
    throw new ClusterMismatchError(
      `Environment "${run.environment}" is bound to the cluster with kube-system uid ${bound.uid} by now, this was planned for ${run.clusterUid}. Nothing was changed.`,
    );
  }
  const known = await recentOwner(clients.kubernetes);
  // For an engine that has lost its binding, the record says which authority the cluster has.
  const recorded = known?.cluster.uid === run.clusterUid ? known.cluster : { uid: run.clusterUid };
  await clients.kubernetes.assertCluster(bound ?? recorded, signal);
  const owner = await assertOwner(clients, run, bound, known, signal);
  if (does !== 'reads') await assertPermitted(clients, run, owner, does, signal);
}

/** An environment's file adds protection when the next operation begins; the cluster's record alone lifts it. */
async function assertPermitted(
  clients: Pick<Clients, 'environment' | 'kubernetes' | 'config' | 'catalog'>,
  run: RunRef,
  owner: ClusterOwner,
  does: 'changes' | Operation,
  signal?: AbortSignal,
): Promise<void> {
  if (!owner.protected && does === 'changes') return;
  const { protected: isProtected, drift, rotation } = await currentEnvironment(clients);
  if (!owner.protected && isProtected) {
    await protectCluster(clients.kubernetes, signal);
    forgetOwner(clients.kubernetes);
  }
  if (!owner.protected && !isProtected) return;
  requirePermitted({
    run,
    operation: does === 'changes' ? run.operation : does,
    driftMode: drift.mode,
    rotates: rotation?.cron !== undefined,
  });
}

/** Before a cached owner leads to a refusal it is read once more: it may have changed a moment ago. */
async function assertOwner(
  { kubernetes, environment, config, catalog }: Pick<Clients, 'environment' | 'kubernetes' | 'config' | 'catalog'>,
  run: RunRef,
  bound: ClusterBinding | undefined,
  known: ClusterOwner | undefined,
  signal?: AbortSignal,
): Promise<ClusterOwner> {
  const claimant = { environment: run.environment, platform: platformName(environment) };
  if (known && isOwner({ ...claimant, cluster: { uid: run.clusterUid } }, known)) return known;
  forgetOwner(kubernetes);
  const { protected: isProtected } = await currentEnvironment({ environment, config, catalog });
  return claimCluster(
    kubernetes,
    {
      ...claimant,
      cluster: await kubernetes.identity(signal),
      protected: isProtected,
      bound: bound !== undefined,
      boundBy: bound?.boundBy ?? config.requestedBy,
      ...(bound ? { at: bound.at } : {}),
    },
    signal,
  );
}
