/** What an operation tells outside: that it begins, and how it has ended. */
import { patched } from '@temporalio/workflow';
import { endWords, startWords } from '../../plan/notify/words.ts';
import { startTelling, tell } from '../notifications/tell.ts';
import { operationOf, type StepCall, type StepEnd } from './call.ts';

/** Of runs that began with an older worker. */
const BESIDE = 'notifications beside their operation';

export async function notify({ run, step, ...call }: StepCall): Promise<StepEnd> {
  const { plan, result } = operationOf({ run, step, ...call });
  if (step.event === 'start') {
    if (plan) await tell(plan.notifications, { run, event: 'start', ...startWords(plan, run) }, 'Tell of the start');
    return {};
  }
  if (result === undefined) throw new Error(`Step ${step.id} comes after the outcome, which is not known yet`);
  const told = { run, event: result.outcome === 'failed' ? 'failure' : 'end', ...endWords(result) } as const;
  if (plan) await tell(plan.notifications, told, 'Tell of the failure');
  else if (patched(BESIDE)) await startTelling(told);
  else if (result.operation === 'deploy') await tell(undefined, told, 'Tell of the failure');
  return {};
}
