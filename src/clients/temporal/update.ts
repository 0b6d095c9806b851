/** Sends an update to a running operation: its workflow accepts it at once, or refuses it. */
import {
  type Client,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { AnantaError, type NextStep } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';
import type { DeploymentHandle } from './deployments.ts';

/** An answer takes milliseconds where a worker is there. */
const ANSWER_MILLISECONDS = 20_000;

/** The operation does not take it: the message is the workflow's. */
export class UpdateRefusedError extends AnantaError {
  override name = 'UpdateRefusedError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
  override readonly next: readonly NextStep[] = [{ command: 'status', why: 'how it stands' }];
}

/** No worker was there to take it. */
export class UpdateUnansweredError extends AnantaError {
  override name = 'UpdateUnansweredError';
  override readonly next: readonly NextStep[] = [
    { command: 'status', why: 'whether it was carried out, and why nobody answers' },
  ];
}

/** @throws UpdateRefusedError; UpdateUnansweredError, after which nobody knows whether it will be carried out */
export async function updateWorkflow<Result>(
  client: Client,
  run: DeploymentHandle,
  update: string,
  request: object,
  milliseconds = ANSWER_MILLISECONDS,
): Promise<Result> {
  const handle = client.workflow.getHandle(run.workflowId, run.runId);
  try {
    return await client.connection.withDeadline(Date.now() + milliseconds, () =>
      handle.executeUpdate<Result, [object]>(update, { args: [request] }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError)
      throw new UpdateRefusedError(wordsOf(error.cause ?? error), { cause: error });
    if (error instanceof WorkflowNotFoundError)
      throw new UpdateRefusedError('The operation has just ended.', { cause: error });
    if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
      throw new UpdateUnansweredError(
        `No worker has answered within ${Math.round(milliseconds / 1000)} s. Whether it will be carried out when one comes back is not known.`,
        { cause: error },
      );
    throw error;
  }
}

/** A worker of an earlier version knows no such update. */
function wordsOf({ message }: Error): string {
  if (/no handler|not registered|unknown update/i.test(message))
    return 'The operation was started by a version of the deployer that does not know this: cancel it, or wait for its end.';
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
