import { CancellationScope, upsertSearchAttributes } from '@temporalio/workflow';
import type { OperationResult } from '../../contract/operations/deploy.ts';
import type { OperationStep } from '../../contract/operations/steps.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/search-attributes.ts';
import { isDue, withAddition } from '../../plan/operation-result.ts';
import type { OperationView, StepCall } from './call.ts';
import { carryOut } from './table.ts';

/**
 * The steps that are due after this result, one after the other, also in an operation that was cancelled.
 * @returns the result with what they add
 */
export async function closeOperation(
  closing: readonly OperationStep[],
  ended: OperationResult,
  { run, operation }: { run: StepCall['run']; operation: () => OperationView },
): Promise<OperationResult> {
  let result = ended;
  await CancellationScope.nonCancellable(async () => {
    for (const step of closing.filter((candidate) => isDue(candidate, ended))) {
      if (step.kind === 'audit') upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.result, value: ended.outcome }]);
      const end = await carryOut({ run, step, operation: { ...operation(), result } });
      result = { ...result, ...withAddition(result, end) };
    }
  });
  return result;
}
