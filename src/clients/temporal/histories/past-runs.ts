/** How earlier runs of an operation went: their results alone, without their histories. */
import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Operation } from '../../../contract/operations/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../../contract/search-attributes.ts';
import { type PastRun, pastRunOf } from '../../../plan/remaining/past.ts';
import type { DeploymentHandle } from '../deployments.ts';
import { readableEvents } from '../encryption/readable.ts';
import { createHistoryDecoder } from './history.ts';

/** Enough for a spread; older ones are of another platform. */
const MOST = 10;
const { HistoryEventFilterType } = proto.temporal.api.enums.v1;

/**
 * The newest runs of an operation on the environment and cluster of `run`, itself left out: one request for their list,
 * one for each result.
 * @returns nothing of runs that were cancelled or had nothing to do, and of those that the engine has deleted
 */
export async function pastRuns(
  client: Client,
  run: DeploymentHandle,
  operation: Operation,
  signal: AbortSignal = new AbortController().signal,
): Promise<PastRun[]> {
  const query = `WorkflowId = '${run.workflowId}' AND WorkflowType = '${operation}' AND ${SEARCH_ATTRIBUTES.result.name} IN ('succeeded', 'failed') AND ExecutionStatus != 'Running'`;
  return client.connection.withAbortSignal(signal, async () => {
    const { executions } = await client.workflowService.listWorkflowExecutions({
      namespace: client.options.namespace,
      query,
      pageSize: MOST + 1,
    });
    const runIds = executions.flatMap(({ execution }) => execution?.runId ?? []);
    const results = await Promise.all(
      runIds
        .filter((runId) => runId !== run.runId)
        .slice(0, MOST)
        .map((runId) => resultOf(client, { workflowId: run.workflowId, runId })),
    );
    return results.flatMap((past) => (past && Object.keys(past.services).length > 0 ? [past] : []));
  });
}

async function resultOf(client: Client, run: DeploymentHandle): Promise<PastRun | undefined> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: run,
    historyEventFilterType: HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
  });
  const decode = createHistoryDecoder(run);
  try {
    for (const event of await readableEvents(client, history?.events ?? [])) {
      for (const decoded of decode(event)) if (decoded.kind === 'finished') return pastRunOf(decoded.result);
    }
  } catch {
    // Terminated from outside, or encrypted with a key that is lost: nobody knows how it went.
  }
  return undefined;
}
