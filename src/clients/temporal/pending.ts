/** Activities that are being tried again: the history tells of an attempt only when it has ended. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';

export interface PendingRetry {
  /** The activity's id within its workflow. */
  activityId: string;
  /** The activity's name. */
  activity: string;
  /** The attempt that is coming or under way. */
  attempt: number;
  /** Why the one before it failed. */
  message: string;
}

/** @returns those activities of a running workflow that have failed at least once */
export async function pendingRetries(client: Client, workflowId: string): Promise<PendingRetry[]> {
  try {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    return (raw.pendingActivities ?? []).flatMap((pending) =>
      (pending.attempt ?? 1) > 1 && pending.lastFailure
        ? [
            {
              activityId: pending.activityId ?? '',
              activity: pending.activityType?.name ?? '',
              attempt: pending.attempt ?? 1,
              message: pending.lastFailure.message ?? '',
            },
          ]
        : [],
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return [];
    throw error;
  }
}
