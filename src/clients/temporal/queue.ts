/** The queue of an environment: a deployment that waits for the lock, as whoever asked for it sees it. */
import {
  type Client,
  isGrpcServiceError,
  WithStartWorkflowOperation,
  type WorkflowUpdateHandle,
} from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { AnantaError, type NextStep } from '../../contract/errors.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import type { DeployInput } from '../../contract/operations/deploy.ts';
import type { QueueAnswer, QueueInput, QueueRequest } from '../../contract/lock.ts';
import { UPDATES } from '../../contract/messages.ts';
import { queueWorkflowId, taskQueueOf, WORKFLOW_TYPES } from '../../contract/names.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/search-attributes.ts';

type QueueWorkflow = (input: QueueInput) => Promise<void>;

export interface Queued {
  /**
   * What became of the request. Waits through outages of the engine. @throws the signal's reason; QueueWithdrawnError
   */
  answer(signal: AbortSignal): Promise<QueueAnswer>;
}

/** Somebody took the request back, or ended the queue, before its turn came. */
export class QueueWithdrawnError extends AnantaError {
  override name = 'QueueWithdrawnError';
  override readonly exitCode = EXIT_CODES.cancelled;
  override readonly next: readonly NextStep[] = [{ command: 'status' }];
}

/**
 * Puts a deployment into the queue; a request that waits there already is overtaken. Needs a worker, which says that it
 * has it.
 */
export async function enqueueDeployment(client: Client, requestId: string, input: DeployInput): Promise<Queued> {
  const start = new WithStartWorkflowOperation<QueueWorkflow>(WORKFLOW_TYPES.queue, {
    workflowId: queueWorkflowId(input.environment, input.clusterUid),
    taskQueue: taskQueueOf(input.environment),
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [{ environment: input.environment, clusterUid: input.clusterUid }],
    typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.environment, value: input.environment }],
    staticSummary: `Deployments to ${input.environment} that wait for the lock`,
  });
  const handle = await client.workflow.startUpdateWithStart<QueueWorkflow, QueueAnswer, [QueueRequest]>(
    UPDATES.enqueue,
    {
      args: [{ requestId, input }],
      updateId: requestId,
      waitForStage: 'ACCEPTED',
      startWorkflowOperation: start,
    },
  );
  return { answer: (signal) => answerOf(client, handle, signal) };
}

/** @returns whether anybody waited */
export async function withdrawQueued(client: Client, workflowId: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId).cancel();
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return false;
    throw error;
  }
}

async function answerOf(
  client: Client,
  handle: WorkflowUpdateHandle<QueueAnswer>,
  signal: AbortSignal,
): Promise<QueueAnswer> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await client.connection.withAbortSignal(signal, () => handle.result());
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      if (error.name === 'WorkflowUpdateFailedError' || error.name === 'WorkflowNotFoundError')
        throw new QueueWithdrawnError('The request was withdrawn from the queue: its deployment was not started.');
      // A long poll that ran out of time, or an engine that is away.
      if (
        !isGrpcServiceError(error) &&
        !['ServiceError', 'WorkflowUpdateRPCTimeoutOrCancelledError'].includes(error.name)
      )
        throw error;
      await sleep(500, undefined, { signal }).catch(() => undefined);
    }
  }
}
