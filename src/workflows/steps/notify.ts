/** What an operation tells outside: that it begins, and how it has ended. */
import { endWords, startWords } from '../../plan/notify/words.ts';
import { startTelling, tell, tellsBeside } from '../notifications/tell.ts';
import { operationOf, type StepCall, type StepEnd } from './call.ts';

export async function notify(call: StepCall): Promise<StepEnd> {
  const { run, step } = call;
  const { plan, result } = operationOf(call);
  if (step.event === 'start') {
    if (plan) await tell(plan.notifications, { run, event: 'start', ...startWords(plan, run) }, 'Tell of the start');
    return {};
  }
  if (result === undefined) throw new Error(`Step ${step.id} comes after the outcome, which is not known yet`);
  const told = { run, event: result.outcome === 'failed' ? 'failure' : 'end', ...endWords(result) } as const;
  if (plan) await tell(plan.notifications, told, 'Tell of the failure');
  else if (tellsBeside()) await startTelling(told);
  else if (result.operation === 'deploy') await tell(undefined, told, 'Tell of the failure');
  return {};
}
