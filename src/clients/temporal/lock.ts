/** Who holds the lock of an environment and whether it moves; who waits for it. Needs no worker and no cluster. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import proto, { type temporal } from '@temporalio/proto';
import { z } from 'zod';
import type { LockHolder, QueueMemo } from '../../contract/lock.ts';
import { OPERATIONS } from '../../contract/operations/plan.ts';
import { heldLines } from '../../plan/steering/words.ts';
import { forgiving, isUnreadable } from './encryption/readable.ts';
import { questionsSchema } from './questions-schema.ts';
import { pinnedTo } from './versions.ts';
import { livingWorkers } from './workers.ts';

type Described = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;
const { PendingActivityState } = proto.temporal.api.enums.v1;

const memoSchema = z.object({
  operation: z.enum(OPERATIONS),
  requestedBy: z.string(),
  asks: z.string().optional(),
  waits: z
    .object({
      step: z.string(),
      reason: z.string(),
      since: z.string(),
      until: z.string().optional(),
      gate: z
        .object({
          name: z.string(),
          digest: z.string(),
          by: z.array(z.string()),
          count: z.number(),
          given: z.array(z.object({ by: z.string(), at: z.string(), until: z.string() })),
          requester: z.string().optional(),
        })
        .optional(),
    })
    .nullish()
    .catch(undefined),
});
/** As far as it says for whom the operation waits. */
const steeringMemoSchema = z.object({
  steering: z.object({
    paused: z
      .object({ by: z.string(), reason: z.string(), since: z.string(), before: z.string().optional() })
      .optional(),
    pauseAt: z.array(z.object({ at: z.string(), by: z.string(), reason: z.string() })),
    questions: questionsSchema,
  }),
});
const queueMemoSchema = z.object({ requestedBy: z.string(), since: z.string() });

/**
 * A worker takes due tasks within moments, and running ones heartbeat every 2 s: after this long no worker is there.
 */
const OVERDUE_MILLISECONDS = 20_000;

/** @returns undefined when the lock is free */
export async function lockHolderOf(client: Client, workflowId: string): Promise<LockHolder | undefined> {
  const found = await describe(client, workflowId);
  if (found?.status.name !== 'RUNNING') return undefined;
  const memo = memoSchema.safeParse(found.memo);
  const steered = steeringMemoSchema.safeParse(found.memo);
  const held = steered.success ? heldLines(steered.data.steering) : [];
  const [workers, overdue] = await Promise.all([
    livingWorkers(client, found.taskQueue, pinnedTo(found.raw)),
    overdueWork(client, found.raw),
  ]);
  const stalled = workers.alive === 0 ? workers.detail : overdue;
  return {
    workflowId,
    runId: found.runId,
    since: found.startTime.toISOString(),
    workers: workers.alive,
    // Runs that were started before there were memos: their type says what they are.
    ...(memo.success
      ? memo.data
      : {
          operation: OPERATIONS.find((operation) => operation === found.type) ?? 'deploy',
          requestedBy: unknownRequester(found.memo?.['requestedBy']),
        }),
    ...(stalled === undefined ? {} : { stalled }),
    ...(held.length === 0 ? {} : { held }),
  };
}

/** @returns for whom or what the operation that holds the lock waits, one line each; one request, and no worker */
export async function holdsOf(client: Client, workflowId: string): Promise<string[]> {
  const found = await describe(client, workflowId);
  if (found?.status.name !== 'RUNNING') return [];
  const memo = memoSchema.safeParse(found.memo);
  const steered = steeringMemoSchema.safeParse(found.memo);
  return [
    ...(memo.success && memo.data.waits ? [memo.data.waits.reason] : []),
    ...(steered.success ? heldLines(steered.data.steering) : []),
  ];
}

function unknownRequester(value: unknown): string {
  return isUnreadable(value)
    ? `somebody whose name is encrypted with key ${value.unreadable}, which is not here`
    : 'somebody who was not recorded';
}

/** @returns who waits for the lock; undefined when nobody does */
export async function queuedRequest(client: Client, workflowId: string): Promise<QueueMemo | undefined> {
  const found = await describe(client, workflowId);
  if (found?.status.name !== 'RUNNING') return undefined;
  const memo = queueMemoSchema.safeParse(found.memo);
  if (!memo.success) return { requestedBy: 'somebody', since: found.startTime.toISOString() };
  return memo.data.requestedBy === '' ? undefined : memo.data;
}

/** @returns what has been due for too long, in the run or in its phases: its worker hangs or has lost the engine */
async function overdueWork(client: Client, raw: Described): Promise<string | undefined> {
  const children = await Promise.all(
    (raw.pendingChildren ?? []).map(async ({ workflowId }) => describe(client, workflowId ?? '')),
  );
  const now = Date.now();
  let oldest: { what: string; at: number } | undefined;
  const due = (what: string, time: temporal.api.workflow.v1.IPendingActivityInfo['scheduledTime']): void => {
    const at = millis(time);
    if (at > 0 && now - at > OVERDUE_MILLISECONDS && at < (oldest?.at ?? Infinity)) oldest = { what, at };
  };
  for (const run of [raw, ...children.flatMap((child) => child?.raw ?? [])]) {
    due('a step of the workflow', run.pendingWorkflowTask?.scheduledTime);
    for (const activity of run.pendingActivities ?? []) {
      const name = activity.activityType?.name ?? 'an activity';
      if (activity.state === PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED) due(name, activity.scheduledTime);
      else due(name, activity.lastHeartbeatTime ?? activity.lastStartedTime);
    }
  }
  return (
    oldest &&
    `no worker has touched what is due (${oldest.what}) for ${Math.round((now - oldest.at) / 1000)} s: it hangs, or has lost the engine`
  );
}

/** @returns undefined where there is none */
export async function describe(
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']>> | undefined> {
  try {
    // Who holds the lock is said also where it cannot be read who asked for it.
    return await forgiving(client).workflow.getHandle(workflowId, runId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

function millis(time: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Number(time?.seconds ?? 0) * 1000 + Math.floor((time?.nanos ?? 0) / 1e6);
}
