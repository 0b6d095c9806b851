/**
 * Delivers to each target that wants the event, until it has answered or is given up; what was not delivered is kept
 * in the cluster. A workflow of its own: what it is about neither waits for it nor fails with it.
 */
import { CancellationScope, isCancellation, setCurrentDetails, sleep } from '@temporalio/workflow';
import type {
  Delivery,
  DeliveryAnswer,
  Notification,
  NotificationInput,
  NotificationResult,
} from '../../contract/notifications.ts';
import { nextAttempt } from '../../plan/notify/backoff.ts';
import { notificationRecords, notificationDelivery } from '../activity-proxies.ts';
import { failureOf } from '../failure-of.ts';

export async function notification(input: NotificationInput): Promise<NotificationResult> {
  const { targets, notification: message } = await addressed(input);
  const ends = new Map<string, string>(targets.map((target) => [target, 'is being sent']));
  const note = (target: string, text: string): void => {
    ends.set(target, text);
    setCurrentDetails([`**${message.title}**`, '', ...[...ends].map((end) => `- ${end.join(': ')}`)].join('\n'));
  };
  const deliveries = await Promise.all(
    targets.map(async (target) => {
      const delivery = await deliver(input, message, target, note);
      const letter = await recordDelivery(input, message, delivery);
      return letter === undefined ? delivery : { ...delivery, letter };
    }),
  );
  return { id: message.id, deliveries };
}

async function addressed(input: NotificationInput): Promise<{ targets: string[]; notification: Notification }> {
  const { letter } = input;
  if (letter) return { targets: [letter.target], notification: letter.notification };
  return notificationDelivery.addressNotification.executeWithOptions({ summary: 'Who is told' }, [input]);
}

async function deliver(
  { run, once }: NotificationInput,
  message: Notification,
  target: string,
  note: (target: string, text: string) => void,
): Promise<Delivery> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await attemptAt(run, message, target, attempt);
    const { delivered, text } = answer;
    note(target, text);
    const wait = delivered || once ? undefined : nextAttempt(attempt, answer);
    if (wait === undefined) return { target, delivered, attempts: attempt, text };
    note(target, `${text}; tried again after ${wait} s`);
    await sleep(wait * 1000);
  }
}

async function attemptAt(
  run: NotificationInput['run'],
  message: Notification,
  target: string,
  attempt: number,
): Promise<DeliveryAnswer> {
  const summary = `Tell ${target}${attempt === 1 ? '' : `, attempt ${attempt}`}`;
  try {
    return await notificationDelivery.deliverNotification.executeWithOptions({ summary }, [
      { run, target, notification: message },
    ]);
  } catch (error) {
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    return { delivered: false, text: failureOf(error).message };
  }
}

/** Keeps what was not delivered, except a test, whose sender sees the answer. @returns id under which it is kept */
async function recordDelivery(
  { run, event, letter }: NotificationInput,
  message: Notification,
  delivery: Delivery,
): Promise<string | undefined> {
  if (event === 'test' || (delivery.delivered && !letter)) return undefined;
  const summary = delivery.delivered ? 'Forget that it could not be told' : `Keep what ${delivery.target} was not told`;
  try {
    const input = { run, notification: message, delivery, ...(letter ? { before: letter } : {}) };
    return (await notificationRecords.settleNotification.executeWithOptions({ summary }, [input])).letter;
  } catch (error) {
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    return undefined;
  }
}
