/** What the environment's schedule starts: a rotation under the lock, where nobody holds that. */
import { setCurrentDetails, startChild, workflowInfo } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { RotateInput } from '../contract/operations/rotate.ts';
import type { RotationScheduleInput } from '../contract/operations/secret-name.ts';
import { reads } from './activity-proxies.ts';
import { byItself } from './by-itself.ts';
import { rotate } from './operation.ts';

/** @returns what came of it, in words; the rotation itself goes on alone */
export async function rotation(input: RotationScheduleInput): Promise<{ outcome: 'started' | 'skipped' }> {
  const { environment, clusterUid, secrets, olderThanSeconds } = input;
  const skipped = (why: string): { outcome: 'skipped' } => {
    setCurrentDetails(`Nothing was rotated: ${why}. The next run looks again; drift names what is too old.`);
    return { outcome: 'skipped' };
  };
  const { holder } = await reads.lockHolder.executeWithOptions({ summary: 'Who holds the lock' }, [
    { environment, clusterUid },
  ]);
  if (holder) return skipped(`${holder.requestedBy} works on ${environment} (${holder.operation})`);
  const args: RotateInput = {
    environment,
    clusterUid,
    requestedBy: 'the rotation schedule',
    ...(secrets ? { secrets } : {}),
    ...(olderThanSeconds === undefined ? {} : { olderThanSeconds }),
  };
  try {
    await startChild(rotate, {
      ...byItself('rotate', args),
      staticDetails: `Started by ${workflowInfo().workflowId}`,
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return skipped('somebody took the lock first');
    throw error;
  }
  setCurrentDetails(`Environment **${environment}**: a rotation was started`);
  return { outcome: 'started' };
}
