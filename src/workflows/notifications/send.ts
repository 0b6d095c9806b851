/** Starts the workflow that delivers a notification, beside the operation: neither is held up by the other. */
import {
  ChildWorkflowCancellationType,
  isCancellation,
  ParentClosePolicy,
  patched,
  startChild,
  uuid4,
} from '@temporalio/workflow';
import type { NotifyInput } from '../../contract/activities.ts';
import { notificationWorkflowId } from '../../contract/names.ts';
import type { NotifyEvent } from '../../contract/notify-events.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/search-attributes.ts';
import { isWanted } from '../../plan/notify/events.ts';
import { outside } from '../activity-proxies.ts';
import type { notification as Notification } from './notification.ts';

type Message = Omit<NotifyInput, 'event'> & { event: NotifyEvent };

/**
 * @param wanted events of which anybody is notified; undefined in plans of earlier versions, which do not say it: then
 * the notification is sent by an activity of the operation itself, which is waited for
 * @param summary of that activity
 * @throws ActivityFailure of that activity
 */
export async function sendNotification(
  wanted: readonly NotifyEvent[] | undefined,
  message: Message,
  summary: string,
): Promise<void> {
  if (wanted === undefined) {
    await outside.notify.executeWithOptions({ summary }, [{ ...message, event: earlierEvent(message) }]);
    return;
  }
  if (isWanted(message.event, wanted)) await startNotification(message);
}

/**
 * Whether notifications are sent beside the operation also where there is no plan that says who is notified; not in
 * runs that began with an older worker.
 */
export function sendsBeside(): boolean {
  return patched('notifications beside their operation');
}

/** @throws only where the workflow itself is cancelled */
export async function startNotification(message: Message): Promise<void> {
  const { run, event } = message;
  try {
    await startChild<typeof Notification>('notification', {
      workflowId: notificationWorkflowId(run.workflowId, run.runId, `${event}-${uuid4().slice(0, 8)}`),
      args: [message],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      staticSummary: `Notify: ${message.title}`.slice(0, 200),
      typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.environment, value: run.environment }],
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}

function earlierEvent({ event }: Message): NotifyInput['event'] {
  if (event === 'failure') return 'deploy-failed';
  return event === 'repair' ? 'drift' : event;
}
