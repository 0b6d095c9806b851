import type { Schedules } from '../clients/temporal/schedules.ts';
import { rotationScheduleId } from '../contract/names.ts';
import type { RunRef } from '../contract/operations/deploy.ts';
import type { Environment } from '../environment/schema.ts';

/**
 * The schedule of rotations as the environment's file says now; none where it names no time. @returns whether it
 * changed
 */
export async function ensureRotationSchedule(
  schedules: Schedules,
  { environment, clusterUid }: Pick<RunRef, 'environment' | 'clusterUid'>,
  { rotation }: Pick<Environment, 'rotation'>,
): Promise<boolean> {
  const id = rotationScheduleId(environment, clusterUid);
  if (rotation?.cron === undefined) return schedules.remove(id);
  const { cron, timeZone, olderThanSeconds, paths } = rotation;
  const done = await schedules.ensure({
    id,
    workflow: 'rotation',
    input: {
      environment,
      clusterUid,
      cron,
      timeZone,
      olderThanSeconds,
      ...(paths === undefined ? {} : { secrets: paths.map((path) => ({ path })) }),
    },
    summary: `Rotate what is too old on ${environment}`,
  });
  return done !== 'unchanged';
}
