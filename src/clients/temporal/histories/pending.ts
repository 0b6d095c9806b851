/** Activities that make no progress: the history has an attempt only when it has ended. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import { forgiving, readableDescription } from '../encryption/readable.ts';

export interface PendingRetry {
  /** The activity's id within its workflow. */
  activityId: string;
  /** The activity's name. */
  activity: string;
  /** The attempt that is coming or under way. */
  attempt: number;
  /** Why the one before it failed. */
  message: string;
  /** ISO 8601: when the attempt begins; absent while it is under way. */
  nextAt?: string;
}

/** A wait that has met something that somebody may have to do something about. */
export interface PendingCause {
  activityId: string;
  release: string;
  cause: string;
}

export interface Pending {
  /** Those that have failed at least once. */
  retries: PendingRetry[];
  causes: PendingCause[];
}

/** The part of a WaitingBeat that is for people. */
const beatSchema = z.object({ release: z.string(), cause: z.string() });

/** @returns what is pending of a running workflow; nothing of one that is not there */
export async function pendingOf(client: Client, workflowId: string): Promise<Pending> {
  try {
    const looking = forgiving(client);
    const { raw } = await looking.workflow.getHandle(workflowId).describe();
    const activities = (await readableDescription(looking, raw)).pendingActivities ?? [];
    const retries = activities.flatMap((pending) =>
      (pending.attempt ?? 1) > 1 && pending.lastFailure
        ? [
            {
              activityId: pending.activityId ?? '',
              activity: pending.activityType?.name ?? '',
              attempt: pending.attempt ?? 1,
              message: pending.lastFailure.message ?? '',
              ...timeOf(pending.nextAttemptScheduleTime),
            },
          ]
        : [],
    );
    const causes = activities.flatMap(({ activityId, heartbeatDetails }) => {
      const beat = beatSchema.safeParse(parsed(heartbeatDetails?.payloads?.[0]?.data));
      return beat.success ? [{ activityId: activityId ?? '', ...beat.data }] : [];
    });
    return { retries, causes };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { retries: [], causes: [] };
    throw error;
  }
}

function parsed(data: Uint8Array | null | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(data ?? []).toString('utf8'));
  } catch {
    return undefined;
  }
}

function timeOf(time: { seconds?: unknown } | null | undefined): { nextAt?: string } {
  const seconds = Number(time?.seconds ?? 0);
  return seconds > 0 ? { nextAt: new Date(seconds * 1000).toISOString() } : {};
}
