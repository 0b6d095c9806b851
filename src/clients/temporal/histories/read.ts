/** A deployment as it stands, from its history: works without a worker and does not wait. */
import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { DeploymentEvent } from '../../../plan/progress.ts';
import type { DeploymentHandle } from '../deployments.ts';
import { readableEvents } from '../encryption/readable.ts';
import { createHistoryDecoder } from './history.ts';

/**
 * @param onEvent called for every event so far, in order
 * @throws DeploymentTerminatedError after the last event of a terminated one
 */
export async function readDeployment(
  client: Client,
  run: DeploymentHandle,
  onEvent: (event: DeploymentEvent) => void,
): Promise<void> {
  const { events } = await client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
  decodeHistory(run, await readableEvents(client, events ?? []), onEvent);
}

/** The same of a history that is at hand, decrypted. @throws DeploymentTerminatedError as above */
export function decodeHistory(
  run: DeploymentHandle,
  history: readonly temporal.api.history.v1.IHistoryEvent[],
  onEvent: (event: DeploymentEvent) => void,
): void {
  const decode = createHistoryDecoder(run);
  for (const event of history) decode(event).forEach(onEvent);
}
