import type { Schedules } from '../clients/temporal/schedules.ts';
import { backupScheduleId } from '../contract/names.ts';
import type { RunRef } from '../contract/operations/deploy.ts';
import type { Environment } from '../environment/schema.ts';

/**
 * The schedule of backups as the environment's file says now; none where it names no time. @returns whether it changed
 */
export async function ensureBackupSchedule(
  schedules: Schedules,
  { environment, clusterUid }: Pick<RunRef, 'environment' | 'clusterUid'>,
  { backup }: Pick<Environment, 'backup'>,
): Promise<boolean> {
  const id = backupScheduleId(environment, clusterUid);
  if (backup?.cron === undefined) return schedules.remove(id);
  const { cron, timeZone } = backup;
  const done = await schedules.ensure({
    id,
    workflow: 'backup',
    input: { environment, clusterUid, cron, timeZone },
    summary: `Back up the deployer's state of ${environment}`,
  });
  return done !== 'unchanged';
}
