/** Checks that the plan keeps the environment's rules: the verdicts come with the plan, each time it is made. */
import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURES } from '../../contract/failures.ts';
import { isBroken, verdictLines } from '../../plan/policy/words.ts';
import { operationOf, type StepCall, type StepEnd } from '../steps/call.ts';

export function keepPolicy(call: StepCall): Promise<StepEnd> {
  const { plan } = operationOf(call);
  // A plan without the verdicts that its environment's rules call for is refused.
  if (plan?.verdicts === undefined) throw refusal(call, ['nobody has held the plan against its rules']);
  const broken = plan.verdicts.filter((verdict) => verdict.effect === 'deny' && isBroken(verdict));
  if (broken.length > 0) throw refusal(call, broken.flatMap(verdictLines));
  return Promise.resolve({});
}

function refusal({ run }: StepCall, lines: readonly string[]): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `The policy of ${run.environment} refuses the plan, and nothing was changed:\n${lines.join('\n')}`,
    FAILURES.policyViolated,
  );
}
