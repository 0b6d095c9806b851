/** What this run has changed goes back to what was there before; the lock stays with the run. */
import {
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { OperationResult } from '../../contract/operations/deploy.ts';
import { WORKFLOW_TYPES } from '../../contract/names.ts';
import type { RollbackInput } from '../../contract/operations/rollback.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/search-attributes.ts';
import { failureOf, resultOf } from '../failure-of.ts';
import { operationOf, type StepCall, type StepEnd } from './call.ts';

/**
 * Started by its type name, since importing the workflow would be an import cycle: it is built from the table of steps,
 * of which this is one.
 */
type Rollback = (input: RollbackInput) => Promise<OperationResult>;

export async function undo(call: StepCall): Promise<StepEnd> {
  const { run } = call;
  const { input, services: ended } = operationOf(call);
  const args: RollbackInput = {
    environment: input.environment,
    clusterUid: input.clusterUid,
    requestedBy: input.requestedBy,
    pastNoReturn: false,
    undo: { run, changed: ended.filter(({ changed }) => changed).map(({ name }) => name) },
    // Whoever confirmed the deployment has confirmed what its environment asks for after a failure.
    ...(input.confirmation ? { confirmation: { ...input.confirmation, operation: 'rollback' } } : {}),
  };
  try {
    const { outcome, services, notes } = await executeChild<Rollback>(WORKFLOW_TYPES.rollback, {
      workflowId: `${workflowInfo().workflowId}/${run.runId.slice(0, 8)}/undo`,
      args: [args],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      staticSummary: `Take back what the failed deployment to ${input.environment} had changed`,
      typedSearchAttributes: [
        { key: SEARCH_ATTRIBUTES.environment, value: input.environment },
        { key: SEARCH_ATTRIBUTES.operation, value: 'rollback' },
      ],
    });
    return { result: { undone: { outcome, services, ...(notes ? { notes } : {}) } } };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const result = resultOf<OperationResult>(error);
    return {
      result: {
        undone: {
          outcome: 'failed',
          services: result?.services ?? [],
          ...(result?.notes ? { notes: result.notes } : {}),
          failure: failureOf(error),
        },
      },
    };
  }
}
