/** Starts what tells, beside whatever it is about: neither is held up by the other. */
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

type Told = Omit<NotifyInput, 'event'> & { event: NotifyEvent };

/**
 * @param wanted by anybody; undefined where whoever has planned it does not say: then it is told here and now, as
 * operations of earlier versions did it, and the end of that is waited for
 * @param summary of that
 * @throws what the telling has failed with, where it is waited for
 */
export async function tell(wanted: readonly NotifyEvent[] | undefined, told: Told, summary: string): Promise<void> {
  if (wanted === undefined) {
    await outside.notify.executeWithOptions({ summary }, [{ ...told, event: earlierEvent(told) }]);
    return;
  }
  if (isWanted(told.event, wanted)) await startTelling(told);
}

/**
 * Whether it is told beside what it is about also where nobody has planned who wants to know; not in runs that began
 * with an older worker.
 */
export function tellsBeside(): boolean {
  return patched('notifications beside their operation');
}

/** @throws only where the workflow itself is cancelled */
export async function startTelling(told: Told): Promise<void> {
  const { run, event } = told;
  try {
    await startChild<typeof Notification>('notification', {
      workflowId: notificationWorkflowId(run.workflowId, run.runId, `${event}-${uuid4().slice(0, 8)}`),
      args: [told],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      staticSummary: `Tell of: ${told.title}`.slice(0, 200),
      typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.environment, value: run.environment }],
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}

function earlierEvent({ event }: Told): NotifyInput['event'] {
  if (event === 'failure') return 'deploy-failed';
  return event === 'repair' ? 'drift' : event;
}
