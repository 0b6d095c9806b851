/** Rings on the engine: started, looked at, cancelled. */
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { AnantaError, type NextStep } from '../../contract/errors.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { QUERIES } from '../../contract/messages.ts';
import { ringsWorkflowId, taskQueueOf, WORKFLOW_TYPES } from '../../contract/names.ts';
import type { RingsInput, RingsView } from '../../contract/operations/rings.ts';

export class RingsRunningError extends AnantaError {
  override name = 'RingsRunningError';
  override readonly exitCode = EXIT_CODES.refused;
  override readonly next: readonly NextStep[];
  constructor(name: string) {
    super(`Rings "${name}" are being deployed already`);
    this.next = [`npm run ananta -- rings status ${name}   (how far they are)`];
  }
}

/** @returns their run. @throws RingsRunningError where they run already */
export async function startRings(client: Client, input: RingsInput): Promise<{ workflowId: string; runId: string }> {
  const first = input.rings[0]?.targets[0];
  if (first === undefined) throw new Error('Rings without an environment');
  const workflowId = ringsWorkflowId(input.name);
  try {
    const handle = await client.workflow.start(WORKFLOW_TYPES.rings, {
      workflowId,
      // Any of them would do: the workers of the first one keep count.
      taskQueue: taskQueueOf(first.environment),
      args: [input],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: `Deploy ${input.name} ring by ring`,
      staticDetails: `Requested by ${input.requestedBy}`,
    });
    return { workflowId, runId: handle.firstExecutionRunId };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw new RingsRunningError(input.name);
    throw error;
  }
}

/** The newest run of them, running or not. @returns undefined where there was none; needs a worker while they run */
export async function readRings(client: Client, name: string): Promise<RingsView | undefined> {
  const handle = client.workflow.getHandle(ringsWorkflowId(name));
  try {
    const { status } = await handle.describe();
    // One that was cancelled carries no details: it is asked, as one that runs is.
    if (status.name !== 'COMPLETED' && status.name !== 'FAILED') return await handle.query<RingsView>(QUERIES.rings);
    return (await handle.result()) as RingsView;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    const details =
      error instanceof WorkflowFailedError ? (error.cause as { details?: unknown[] } | undefined)?.details : undefined;
    if (details?.[0] === undefined) throw error;
    return details[0] as RingsView;
  }
}

/** Deployments that run go on. @returns false where they do not run */
export async function cancelRings(client: Client, name: string): Promise<boolean> {
  const handle = client.workflow.getHandle(ringsWorkflowId(name));
  try {
    if ((await handle.describe()).status.name !== 'RUNNING') return false;
    await handle.cancel();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
