import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import { withVerdicts } from '../admission/policy.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { buildDestroyPlan } from '../../plan/destroy/destroy.ts';
import { completed } from '../../plan/steps/complete.ts';
import { type OwnReleases, ownReleases, type Survey, survey } from '../destroy/survey.ts';
import { ownNames } from '../owner/claim.ts';
import { assertShown, destructionDigest } from './binding.ts';
import { markedByHelm } from '../release/orphans.ts';
import { newestOfEach } from '../release/revisions.ts';
import type { EffectScope } from '../effect.ts';

type Destroying = Pick<Clients, 'environment' | 'config' | 'kubernetes' | 'catalog'>;

/** What has to be removed, dependents first, from what the cluster holds; changes nothing. */
export async function planDestroy(
  clients: Clients,
  { deleteData, expectedDigest }: InputOf<'planDestroy'>,
  scope: EffectScope,
): OutputOf<'planDestroy'> {
  scope.doing('plans');

  if (expectedDigest === undefined) return destroyPlanOf(clients, deleteData, scope.signal);
  const { plan, found } = await destructionOf(clients, deleteData, scope.signal);
  assertShown(expectedDigest, plan, destructionDigest(plan, found, deleteData));
  return plan;
}

/** What would go, and what the platform's namespaces hold, from one look at Helm's records; changes nothing. */
export async function destructionOf(
  clients: Destroying,
  deleteData: boolean,
  signal?: AbortSignal,
): Promise<{ plan: OperationPlan; found: Survey }> {
  const releases = await ownReleases(clients, signal);
  const [plan, found] = await Promise.all([
    destroyPlanOf(clients, deleteData, signal, releases),
    survey(clients, signal, releases),
  ]);
  return { plan, found };
}

export async function destroyPlanOf(
  clients: Destroying,
  deleteData: boolean,
  signal?: AbortSignal,
  known?: OwnReleases,
): Promise<OperationPlan> {
  const { kubernetes, catalog } = clients;
  const owners = await ownNames(kubernetes, clients.environment.name);
  const [environment, { revisions, foreign }, marked] = await Promise.all([
    currentEnvironment(clients),
    known ?? ownReleases(clients, signal),
    markedByHelm(kubernetes, owners, signal),
  ]);
  const plan = buildDestroyPlan({
    catalog,
    environment,
    releases: newestOfEach(revisions),
    foreign,
    formerly: owners.slice(1),
    marked: new Map([...marked].map(([key, objects]) => [key, objects.length])),
    deleteData,
  });
  return withVerdicts(completed(plan, { verb: 'destroy', deleteData }, environment), catalog, environment);
}
