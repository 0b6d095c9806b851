import { currentEnvironment } from '../effects/environment.ts';
import type { Clients } from '../clients/index.ts';
import { createSchedules } from '../clients/temporal/index.ts';
import type { InputOf, OutputOf } from '../contract/activities.ts';
import { driftScheduleId } from '../contract/names.ts';
import { engineOf } from './lock/engine.ts';
import type { EffectScope } from '../effects/effect.ts';

/**
 * The schedule of drift runs as the environment's file says now; none where it says `off`. A pause is left as it is.
 */
export async function ensureDriftSchedule(
  clients: Clients,
  run: InputOf<'ensureDriftSchedule'>,
  scope: EffectScope,
): OutputOf<'ensureDriftSchedule'> {
  scope.doing('schedule of drift runs');

  const {
    drift: { mode, everySeconds },
  } = await currentEnvironment(clients);
  const { environment, clusterUid } = run;
  const id = driftScheduleId(environment, clusterUid);
  if (mode === 'off') return { changed: await createSchedules(engineOf(clients)).remove(id) };
  const done = await createSchedules(engineOf(clients)).ensure({
    id,
    everySeconds,
    input: { environment, clusterUid, mode },
    summary: mode === 'repair' ? `Find and repair drift on ${environment}` : `Find drift on ${environment}`,
  });
  return { changed: done !== 'unchanged' };
}

export async function removeDriftSchedule(
  clients: Clients,
  run: InputOf<'removeDriftSchedule'>,
  scope: EffectScope,
): OutputOf<'removeDriftSchedule'> {
  scope.doing('schedule of drift runs');

  return {
    removed: await createSchedules(engineOf(clients)).remove(driftScheduleId(run.environment, run.clusterUid)),
  };
}
