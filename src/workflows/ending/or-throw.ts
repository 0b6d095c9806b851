/** How a workflow ends with the result of its operation: returned, or as the detail of a failure. */
import { ApplicationFailure, CancellationScope, CancelledFailure, patched, upsertMemo } from '@temporalio/workflow';
import type { OperationResult } from '../../contract/operations/deploy.ts';
import { FAILURES } from '../../contract/failures.ts';
import { failureText } from '../../plan/operation-result.ts';

/** @throws ApplicationFailure Superseded or DeployFailed, or CancelledFailure, with the result as its detail */
export function orThrow(result: OperationResult): OperationResult {
  const { operation, outcome, supersededBy } = result;
  // The engine counts as cancelled only what it was asked to cancel itself.
  if (supersededBy !== undefined && !CancellationScope.current().consideredCancelled)
    throw failed(`The ${operation} was superseded by ${supersededBy}`, FAILURES.superseded, result);
  if (outcome === 'cancelled') {
    if (patched('result-in-memo')) keepResult(result);
    throw new CancelledFailure(`The ${operation} was cancelled`, [result]);
  }
  if (outcome === 'failed') throw failed(failureText(result), FAILURES.deployFailed, result);
  return result;
}

/**
 * The engine drops the details of a cancellation: the part of the result that is not elsewhere in the history is put
 * into the memo.
 */
function keepResult({ services: _told, ...result }: OperationResult): void {
  upsertMemo({ result });
}

function failed(message: string, type: string, result: OperationResult): ApplicationFailure {
  return ApplicationFailure.create({ message, type, nonRetryable: true, details: [result] });
}
