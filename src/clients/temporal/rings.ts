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
import type { RingsInput, RingsView, RingTargetState } from '../../contract/operations/rings.ts';
import { forgiving, isUnreadable } from './encryption/readable.ts';
import { holdsOf } from './lock.ts';

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
      // The workers of any ring's environment can run this workflow; those of the first one do.
      taskQueue: taskQueueOf(first.environment),
      args: [input],
      memo: { requestedBy: input.requestedBy },
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

export interface RingsRun {
  runId: string;
  /** `user@host`; empty where it is not known. */
  requestedBy: string;
  /** How it ended; `terminated` and the like where the engine has ended it. */
  outcome: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  endedAt?: number;
  /** Absent while they run, and of runs that were ended from outside or by an earlier version. */
  view?: RingsView;
}

const OUTCOMES: Partial<Record<string, RingsView['outcome']>> = {
  RUNNING: 'running',
  COMPLETED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
};

/** Every run that the engine still has, the newest first; in one request, and without a worker. */
export async function ringsRuns(client: Client, name: string): Promise<RingsRun[]> {
  const query = `WorkflowId = '${ringsWorkflowId(name)}'`;
  const runs: RingsRun[] = [];
  // A run that was encrypted with a key that is not here is listed all the same.
  for await (const { runId, status, startTime, closeTime, memo } of forgiving(client).workflow.list({ query })) {
    const view = endOf(memo);
    runs.push({
      runId,
      requestedBy: view?.requestedBy ?? requesterIn(memo),
      outcome: view?.outcome ?? OUTCOMES[status.name] ?? status.name.toLowerCase(),
      startedAt: startTime.getTime(),
      ...(closeTime ? { endedAt: closeTime.getTime() } : {}),
      ...(view ? { view } : {}),
    });
  }
  return runs.toSorted((a, b) => b.startedAt - a.startedAt);
}

function requesterIn(memo: Record<string, unknown> | undefined): string {
  const by = memo?.['requestedBy'];
  return typeof by === 'string' ? by : '';
}

function endOf(memo: Record<string, unknown> | undefined): RingsView | undefined {
  const end = memo?.['rings'];
  return end === undefined || isUnreadable(end) ? undefined : (end as RingsView);
}

/**
 * The newest run of them, or another one, running or not.
 * @returns undefined where there was none; needs a worker while they run
 */
export async function readRings(client: Client, name: string, runId?: string): Promise<RingsView | undefined> {
  const handle = client.workflow.getHandle(ringsWorkflowId(name), runId);
  try {
    const { status, memo } = await handle.describe();
    const end = endOf(memo);
    if (end) return end;
    // The result of a run that an earlier version cancelled has no details: the run is queried, like a running one.
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

/** The view, with what each running operation waits for (a person, a lock, a window). Needs no worker. */
export async function withHolds(client: Client, view: RingsView): Promise<RingsView> {
  if (view.outcome !== 'running') return view;
  const rings = view.rings.map(async (ring) => ({
    ...ring,
    targets: await Promise.all(
      ring.targets.map(async (target) => {
        const { state, workflowId } = target;
        if (workflowId === undefined || !AT_WORK.includes(state)) return target;
        const held = await holdsOf(client, workflowId);
        return held.length === 0 ? target : { ...target, held };
      }),
    ),
  }));
  return { ...view, rings: await Promise.all(rings) };
}

const AT_WORK: readonly RingTargetState[] = ['deploying', 'taking back'];

/** Cancels the run; deployments that it has started go on. @returns false where the rings do not run */
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
