import type { Clients } from '../clients/index.ts';
import { createSchedules } from '../clients/temporal/index.ts';
import { backupScheduleId } from '../contract/names.ts';
import type { RunRef } from '../contract/operations/deploy.ts';
import type { Environment } from '../environment/schema.ts';
import { engineOf } from './lock/engine.ts';

/**
 * The schedule of backups as the environment's file says now; none where it names no time. @returns whether it changed
 */
export async function ensureBackupSchedule(
  clients: Clients,
  { environment, clusterUid }: Pick<RunRef, 'environment' | 'clusterUid'>,
  { backup }: Pick<Environment, 'backup'>,
): Promise<boolean> {
  const schedules = createSchedules(engineOf(clients));
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
