/**
 * The queue for the lock of an environment. Only the newest request is kept, since it describes the platform as it is
 * wanted now. The request is durable: the deployment starts also when the command that asked for it has ended.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  setHandler,
  startChild,
  upsertMemo,
} from '@temporalio/workflow';
import type { QueueInput, QueueMemo, QueueRequest } from '../contract/lock.ts';
import { asked, begun, EMPTY_QUEUE, settled } from '../plan/queue/queue.ts';
import { lockWaits } from './activity-proxies.ts';
import { byItself } from './by-itself.ts';
import { deploy } from './operation.ts';
import { enqueue } from './messages.ts';

export async function queue({ environment, clusterUid }: QueueInput): Promise<void> {
  let state = EMPTY_QUEUE;
  const remember = (requestedBy: string): void => {
    const memo: QueueMemo = { requestedBy, since: new Date().toISOString() };
    upsertMemo({ ...memo });
  };
  setHandler(enqueue, async (request) => {
    state = asked(state, request);
    remember(request.input.requestedBy);
    await condition(() => state.answers[request.requestId] !== undefined);
    return state.answers[request.requestId] ?? { overtakenBy: 'nobody' };
  });
  const waiting = (): QueueRequest | undefined => state.newest;

  await condition(() => waiting() !== undefined);
  while (waiting()) {
    await lockWaits.awaitLockFree.executeWithOptions({ summary: `The lock of ${environment} is free` }, [
      { environment, clusterUid },
    ]);
    state = begun(state);
    const { starting } = state;
    if (!starting) break;
    // A cancellation in this very moment must not hide a deployment that runs: whoever asked for it gets its id.
    const started = await CancellationScope.nonCancellable(() => start(starting));
    state = settled(state, started);
    if (!waiting()) {
      remember('');
      await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    }
  }
}

/** @returns undefined when the lock was taken in between */
async function start({ input }: QueueRequest): Promise<{ workflowId: string; runId: string } | undefined> {
  try {
    const child = await startChild(deploy, byItself('deploy', input));
    return { workflowId: child.workflowId, runId: child.firstExecutionRunId };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}
