import { currentEnvironment } from '../effects/environment.ts';
import type { Clients } from '../clients/index.ts';
import { createSchedules } from '../clients/temporal/index.ts';
import type { InputOf, OutputOf } from '../contract/activities.ts';
import { backupScheduleId, driftScheduleId, rotationScheduleId } from '../contract/names.ts';
import { ensureBackupSchedule } from './backup-schedule.ts';
import { ensureRotationSchedule } from './rotation-schedule.ts';
import { engineOf } from './lock/engine.ts';
import type { EffectScope } from '../effects/effect.ts';

/**
 * The schedules of drift runs, backups and rotations as the environment's file says now; none where it says `off`, or
 * nothing. A pause is left as it is.
 */
export async function ensureDriftSchedule(
  clients: Clients,
  run: InputOf<'ensureDriftSchedule'>,
  scope: EffectScope,
): OutputOf<'ensureDriftSchedule'> {
  scope.doing('schedule of drift runs');

  const now = await currentEnvironment(clients);
  const { mode, everySeconds } = now.drift;
  const { environment, clusterUid } = run;
  const schedules = createSchedules(engineOf(clients));
  const id = driftScheduleId(environment, clusterUid);
  const beside = [
    await ensureBackupSchedule(schedules, run, now),
    await ensureRotationSchedule(schedules, run, now),
  ].includes(true);
  if (mode === 'off') return { changed: (await schedules.remove(id)) || beside };
  const done = await schedules.ensure({
    id,
    everySeconds,
    input: { environment, clusterUid, mode },
    summary: mode === 'repair' ? `Find and repair drift on ${environment}` : `Find drift on ${environment}`,
  });
  return { changed: done !== 'unchanged' || beside };
}

export async function removeDriftSchedule(
  clients: Clients,
  run: InputOf<'removeDriftSchedule'>,
  scope: EffectScope,
): OutputOf<'removeDriftSchedule'> {
  scope.doing('schedule of drift runs');

  const schedules = createSchedules(engineOf(clients));
  const removed = await Promise.all(
    [driftScheduleId, backupScheduleId, rotationScheduleId].map((idOf) =>
      schedules.remove(idOf(run.environment, run.clusterUid)),
    ),
  );
  return { removed: removed.some(Boolean) };
}
