import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import { withVerdicts } from '../admission/policy.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { DriftFinding } from '../../contract/drift.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import type { Environment } from '../../environment/schema.ts';
import { allDigests } from '../../plan/inputs/release-inputs.ts';
import { releaseKey } from '../../plan/observed.ts';
import { buildRepairPlan } from '../../plan/repair.ts';
import { completed } from '../../plan/steps/complete.ts';
import type { EffectScope } from '../effect.ts';
import { readVersions } from '../versions/store.ts';
import { readRecorded } from '../drift/recorded.ts';

/** Steps for releases that have drifted, in the order of the graph; changes nothing. */
export async function planRepair(
  clients: Clients,
  { run, findings }: InputOf<'planRepair'>,
  scope: EffectScope,
): OutputOf<'planRepair'> {
  scope.doing('plans the repair');
  return repairPlan(clients, await currentEnvironment(clients), findings, run.imageTags, scope.signal);
}

/** What brings these findings back; changes nothing. */
export async function repairPlan(
  clients: Clients,
  environment: Environment,
  findings: readonly DriftFinding[],
  imageTags: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<OperationPlan> {
  const [{ revisions }, versions, digests] = await Promise.all([
    readRecorded(clients, signal),
    readVersions(clients.kubernetes, environment.name, signal),
    allDigests(clients.catalog, environment, imageTags, clients.config),
  ]);
  const newest = versions.reduce<(typeof versions)[number] | undefined>(
    (best, version) => (best && best.version > version.version ? best : version),
    undefined,
  );
  const plan = buildRepairPlan({
    catalog: clients.catalog,
    environment,
    findings,
    digests,
    revisions,
    versioned: new Map(
      (newest?.releases ?? []).map(({ namespace, name, digest }) => [releaseKey(namespace, name), digest]),
    ),
  });
  return withVerdicts(completed(plan, { verb: 'repair', findings }, environment), clients.catalog, environment);
}
