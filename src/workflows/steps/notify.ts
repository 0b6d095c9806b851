/** Notifications of an operation: that it begins, and how it has ended. */
import { endWords, startWords } from '../../plan/notify/words.ts';
import { startNotification, sendNotification, sendsBeside } from '../notifications/send.ts';
import { operationOf, type StepCall, type StepEnd } from './call.ts';

export async function notify(call: StepCall): Promise<StepEnd> {
  const { run, step } = call;
  const { plan, result } = operationOf(call);
  if (step.event === 'start') {
    if (plan)
      await sendNotification(
        plan.notifications,
        { run, event: 'start', ...startWords(plan, run) },
        'Notify of the start',
      );
    return {};
  }
  if (result === undefined) throw new Error(`Step ${step.id} comes after the outcome, which is not known yet`);
  const message = { run, event: result.outcome === 'failed' ? 'failure' : 'end', ...endWords(result) } as const;
  if (plan) await sendNotification(plan.notifications, message, 'Notify of the failure');
  else if (sendsBeside()) await startNotification(message);
  else if (result.operation === 'deploy') await sendNotification(undefined, message, 'Notify of the failure');
  return {};
}
