import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
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

  const environment = await currentEnvironment(clients);
  const [{ revisions }, versions, digests] = await Promise.all([
    readRecorded(clients, scope.signal),
    readVersions(clients.kubernetes, environment.name, scope.signal),
    allDigests(clients.catalog, environment, run.imageTags, clients.config),
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
  return completed(plan, { verb: 'repair', findings });
}
