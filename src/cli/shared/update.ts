/** A decision of a person reaches the running operation: checked there, recorded there, or refused with its words. */
import type { Client } from '@temporalio/client';
import { updateWorkflow } from '../../clients/temporal/update.ts';
import type { LockHolder } from '../../contract/lock.ts';
import type { Environment } from '../../environment/schema.ts';
import { refused } from './failure.ts';
import { describeHolder, reviveLine } from './lock-words.ts';

/**
 * @throws UpdateRefusedError where the operation refuses it; CliError (refused), UpdateUnansweredError without a worker
 */
export async function updateOperation<Result>(
  client: Client,
  environment: Pick<Environment, 'name' | 'engine'>,
  holder: LockHolder,
  update: string,
  request: object,
): Promise<Result> {
  if (holder.workers === 0)
    throw refused(
      `${describeHolder(holder, Date.now())} has no worker that could take it${holder.stalled === undefined ? '' : `: ${holder.stalled}`}.`,
      reviveLine(environment),
    );
  return updateWorkflow<Result>(client, holder, update, request);
}
