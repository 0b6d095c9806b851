import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURES } from '../../contract/failures.ts';

/** For validators of updates. @throws ApplicationFailure InvalidInput with the problem, where there is one */
export function refusedUpdate(problem: string | undefined): void {
  if (problem !== undefined) throw ApplicationFailure.nonRetryable(problem, FAILURES.invalidInput);
}
