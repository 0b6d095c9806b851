import { join } from 'node:path';
import { currentEnvironment } from '../environment.ts';
import type { Catalog } from '../../catalog/schema.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { Selection } from '../../contract/operations/deploy.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import type { Environment } from '../../environment/schema.ts';
import { PlanRefusedError } from '../../plan/charts/source.ts';
import { APPLYING } from '../../plan/diff/services.ts';
import { plannedChecks } from '../../plan/checks/planned.ts';
import { buildPlan } from '../../plan/decide.ts';
import { digestsOf, type PlatformInputs, platformInputs } from '../../plan/inputs/platform-inputs.ts';
import type { ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { ForeignReleaseError } from '../../plan/ownership/foreign.ts';
import { type ObservedCluster, releaseKey } from '../../plan/observed.ts';
import { allReleases } from '../../plan/releases.ts';
import { withCheckpoints } from '../../plan/checkpoint/checkpoints.ts';
import { withGrowth } from '../../plan/growing/plan.ts';
import { selectPlan } from '../../plan/selection.ts';
import { completed } from '../../plan/steps/complete.ts';
import { observeCluster } from '../observe/cluster.ts';
import { rulesSeeObjects } from '../../plan/policy/objects.ts';
import { withVerdicts } from '../admission/policy.ts';
import { readRehearsal } from '../admission/rehearsal.ts';
import { comparison, releaseChanges } from '../diff/changes.ts';
import { assertShown } from './binding.ts';
import { pendingNoReturn } from '../checkpoint/pending.ts';
import { withGrowing } from '../growing/observe.ts';
import { lostDefinitions } from '../release/definitions/lost.ts';
import { assertReadable } from '../release/readable.ts';
import type { EffectScope } from '../effect.ts';
import { findLossBefore, lossText } from '../vault/secrets/loss.ts';

/** What will be done to each service and why, from catalog, environment and cluster; changes nothing. */
export async function makePlan(
  clients: Clients,
  { run, selection, expectedDigest }: InputOf<'makePlan'>,
  scope: EffectScope,
): OutputOf<'makePlan'> {
  scope.doing('plans');

  const environment = await currentEnvironment(clients);
  const plan = await planFor(clients, environment, run.imageTags, scope.signal, { selection, judged: true });
  assertShown(expectedDigest, plan);
  return plan;
}

/**
 * Looks at the catalog, the checkout and the cluster; changes nothing. The command `plan` sees the same as a
 * deployment.
 * @param judged held against the environment's rules, too
 * @throws SelectionError, DependencyMissingError, PlanRefusedError, ForeignReleaseError, DamagedRecordError
 */
export async function planFor(
  clients: Clients,
  environment: Environment,
  imageTags: Readonly<Record<string, string>>,
  signal: AbortSignal,
  {
    selection,
    inputs: inputsOf,
    judged = false,
  }: { selection?: Selection | undefined; inputs?: PlatformInputs; judged?: boolean } = {},
): Promise<OperationPlan> {
  const read = inputsOf ?? platformInputs(clients.catalog, environment, clients.config);
  const [inputs, seen] = await Promise.all([read(imageTags), observeCluster(clients, environment, signal)]);
  const digests = digestsOf(inputs);
  const known = await withLostDefinitions(clients, inputs, seen, signal);
  const observed = await withGrowing(clients, inputs, known, signal, clients.charts);
  await refuseOverOldData(clients, environment.name, observed, signal);
  const decided = decidePlan(clients.catalog, environment, digests, observed, selection);
  await assertReadable(clients.kubernetes, decided, observed, signal);
  return judged ? judge(clients, environment, decided, { inputs, observed }, signal) : decided;
}

/** Objects are compared only where a rule asks for them. */
async function judge(
  clients: Clients,
  environment: Environment,
  plan: OperationPlan,
  { inputs, observed }: { inputs: ReadonlyMap<string, ReleaseInputs>; observed: ObservedCluster },
  signal: AbortSignal,
): Promise<OperationPlan> {
  const { connections, config, redactor, catalog } = clients;
  const rehearsal = await readRehearsal(config, environment, inputs);
  if (!rulesSeeObjects(environment.policy, plan.operation))
    return withVerdicts(plan, catalog, environment, inputs, undefined, rehearsal);
  await withCharts(clients, plan, inputs, signal);
  const { helm } = connections;
  const changes = await releaseChanges(plan, inputs, {
    rendering: helm === undefined ? undefined : { helm, home: join(connections.stateDir, 'helm'), config },
    compare: (await comparison(clients, signal))(observed),
    redactor,
    leaves: true,
  });
  return withVerdicts(plan, catalog, environment, inputs, changes, rehearsal);
}

/** Publishers' charts of what would be applied: without them nobody can say which objects there will be. */
async function withCharts(
  { charts }: Pick<Clients, 'charts'>,
  plan: OperationPlan,
  inputs: ReadonlyMap<string, ReleaseInputs>,
  signal: AbortSignal,
): Promise<void> {
  const steps = plan.services.flatMap((service) => service.steps).filter(({ action }) => APPLYING.includes(action));
  const wanted = steps.flatMap(({ name }) => inputs.get(name)?.upstream ?? []);
  await Promise.all(wanted.map((chart) => charts.ensure(chart, signal)));
}

/**
 * With the definitions of deployed releases that somebody has deleted, and the migrations before which a database is
 * kept.
 */
export async function withLostDefinitions(
  { kubernetes, catalog, environment }: Pick<Clients, 'kubernetes' | 'catalog' | 'environment'>,
  inputs: ReadonlyMap<string, ReleaseInputs>,
  observed: ObservedCluster,
  signal: AbortSignal,
): Promise<ObservedCluster> {
  const there = allReleases(catalog).filter(
    ({ namespace, name }) => observed.releases.get(releaseKey(namespace, name))?.status === 'deployed',
  );
  const charts = new Map(
    there.flatMap(({ namespace, name }) => {
      const [chart, found] = [inputs.get(name), observed.releases.get(releaseKey(namespace, name))];
      if (chart === undefined || found === undefined) return [];
      const { revision, secret } = found;
      const inEffect = secret === undefined ? {} : { inEffect: { namespace, name, revision, uid: secret.uid } };
      return [[name, { ...chart, ...inEffect }] as const];
    }),
  );
  const [lost, pending] = await Promise.all([
    lostDefinitions(kubernetes, charts, signal),
    pendingNoReturn({ kubernetes, catalog, environment }, inputs, observed, signal),
  ]);
  return { ...observed, lostDefinitions: lost, ...(pending.size === 0 ? {} : { pendingNoReturn: pending }) };
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
): OperationPlan {
  const plan = buildPlan({ catalog, environment, digests, observed });
  const selected = selection ? selectPlan(plan, catalog, selection, observed) : plan;
  refuseForeign(selected, observed);
  const grown = withGrowth(selected, observed.growing ?? new Map());
  const kept = withCheckpoints(grown, catalog, observed.pendingNoReturn ?? new Map());
  const left = new Set(selected.services.filter(({ action }) => action === 'excluded').map(({ name }) => name));
  const checks = plannedChecks(catalog, environment, (service) => !left.has(service));
  return completed(checks.length === 0 ? kept : { ...kept, checks }, { verb: 'deploy' }, environment);
}

/** What was not selected is nobody's business here. @throws ForeignReleaseError */
function refuseForeign({ environment, services }: OperationPlan, { foreign }: ObservedCluster): void {
  const inTheWay = services
    .flatMap(({ steps }) => steps)
    .filter(({ kind, action }) => kind === 'release' && action !== 'excluded')
    .flatMap(({ namespace, name }) => foreign?.get(releaseKey(namespace, name)) ?? []);
  if (inTheWay.length > 0) throw new ForeignReleaseError(environment, inTheWay);
}
