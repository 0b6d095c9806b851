/** Starts a notification by hand and waits for the answers: a worker sends it, from where it sends all others. */
import type { Client } from '@temporalio/client';
import { notificationWorkflowId, taskQueueOf, WORKFLOW_TYPES } from '../../contract/names.ts';
import type { NotificationInput, NotificationResult } from '../../contract/notifications.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/search-attributes.ts';
import { requireBound } from '../deploy/binding.ts';
import { requireWorker } from '../deploy/engine.ts';
import { unlessInterrupted } from '../deploy/interrupt.ts';
import { withEngine } from '../drift/engine.ts';
import type { CliContext } from '../shared/context.ts';

type Asked = Omit<NotificationInput, 'run' | 'once'>;

/**
 * One after the other, in their order.
 * @throws CliError (refused) where nobody would do the work, or the cluster is another one
 */
export function tellNow(
  context: CliContext,
  environmentName: string,
  asked: readonly Asked[],
): Promise<NotificationResult[]> {
  return withEngine(
    context,
    environmentName,
    async ({ client, environment, cluster, clusterUid, signal }) => {
      await requireBound(client, environment, cluster);
      await requireWorker(client, environment);
      const { name } = environment;
      const results: NotificationResult[] = [];
      for (const one of asked) {
        signal.throwIfAborted();
        results.push(await tell(client, { environment: name, clusterUid }, one, context.config.requestedBy, signal));
      }
      return results;
    },
    'notify',
  );
}

/** Starts one and waits for it. @throws the signal's reason, also when it came during the start */
export async function tell(
  client: Client,
  { environment, clusterUid }: { environment: string; clusterUid: string },
  asked: Asked,
  requestedBy: string,
  signal: AbortSignal,
): Promise<NotificationResult> {
  const runId = crypto.randomUUID();
  const own = `notify/${environment}`;
  const input: NotificationInput = {
    ...asked,
    once: true,
    run: { environment, clusterUid, imageTags: {}, workflowId: own, runId, requestedBy },
  };
  const handle = await client.workflow.start(WORKFLOW_TYPES.notification, {
    taskQueue: taskQueueOf(environment),
    workflowId: notificationWorkflowId(own, runId, asked.event),
    args: [input],
    typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.environment, value: environment }],
    staticSummary: `Notify: ${asked.title}`.slice(0, 200),
    staticDetails: `Requested by ${requestedBy}`,
  });
  return unlessInterrupted(signal, handle.result() as Promise<NotificationResult>, 0);
}
