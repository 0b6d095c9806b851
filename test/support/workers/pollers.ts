/** Who asks the engine for work. */
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { waitUntil } from '../../../bootstrap/process/wait.ts';
import { ENGINE_NAMESPACE, taskQueueOf } from '../../../src/contract/names.ts';

/** Until each of these processes, workers of the environment, has asked the engine for an activity. */
export async function askForWork(client: Client, environment: string, pids: readonly number[]): Promise<void> {
  await waitUntil(`the workers of ${environment} ask for work`, { timeoutMs: 180_000, intervalMs: 300 }, async () => {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace: ENGINE_NAMESPACE,
      taskQueue: { name: taskQueueOf(environment) },
      taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    });
    const asks = (pid: number): boolean =>
      pollers.some(({ identity }) => new RegExp(`/${pid}(#|$)`).test(identity ?? ''));
    return pids.every(asks) || undefined;
  });
}
