/** A decision of a person reaches the running operation: checked there, recorded there, or refused with its words. */
import { type Client, WorkflowUpdateFailedError } from '@temporalio/client';
import type { LockHolder } from '../../contract/lock.ts';
import type { Environment } from '../../environment/schema.ts';
import { refused } from './failure.ts';
import { describeHolder, reviveLine } from './lock-words.ts';

/** @throws CliError (refused) where the operation refuses it, or no worker could answer */
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
  try {
    return await client.workflow
      .getHandle(holder.workflowId, holder.runId)
      .executeUpdate<Result, [object]>(update, { args: [request] });
  } catch (error) {
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    throw refused(`It was refused: ${error.cause?.message ?? error.message}.`);
  }
}
