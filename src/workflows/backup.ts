/** A backup that nobody asked for but the environment's schedule. Changes nothing on the cluster, and takes no lock. */
import { ApplicationFailure, isCancellation, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../contract/activities.ts';
import type { BackupInput } from '../contract/backup.ts';
import { FAILURES } from '../contract/failures.ts';
import type { RunRef } from '../contract/operations/deploy.ts';
import { backups } from './activity-proxies.ts';
import { failureOf } from './failure-of.ts';
import { startNotification } from './notifications/send.ts';

/** @throws ApplicationFailure BackupFailed; whoever is notified of failures is notified of it */
export async function backup({ environment, clusterUid }: BackupInput): ReturnType<Activities['makeBackup']> {
  const { workflowId, runId, startTime } = workflowInfo();
  const run: RunRef = { environment, imageTags: {}, clusterUid, workflowId, runId };
  setCurrentDetails(`Environment **${environment}**: a backup is made`);
  try {
    const done = await backups.makeBackup.executeWithOptions({ summary: 'Vault and records into one file' }, [
      { run, at: startTime.toISOString() },
    ]);
    setCurrentDetails(
      'file' in done
        ? [`Written: ${done.file}, ${done.bytes} bytes`, ...(done.left === undefined ? [] : [done.left])].join('\n\n')
        : done.skipped,
    );
    return done;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { message } = failureOf(error);
    setCurrentDetails(`Failed: ${message}`);
    await startNotification({
      run,
      event: 'failure',
      title: `The backup of ${environment} failed`,
      lines: [message, `By hand: npm run ananta -- backup --env ${environment}`],
    });
    throw ApplicationFailure.create({ message, type: FAILURES.backupFailed, nonRetryable: true });
  }
}
