/** Operations that another workflow starts under their own lock. */
import { ChildWorkflowCancellationType, ParentClosePolicy } from '@temporalio/workflow';
import type { OperationInput } from '../contract/operations/deploy.ts';
import type { Operation } from '../contract/operations/plan.ts';
import { startOptionsOf } from '../contract/operations/start-options.ts';

/** Start options under which the operation goes on when the workflow that starts it ends or is cancelled. */
export function byItself<Input extends OperationInput>(operation: Operation, input: Input) {
  return {
    ...startOptionsOf(operation, input),
    args: [input] as [Input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    parentClosePolicy: ParentClosePolicy.ABANDON,
    cancellationType: ChildWorkflowCancellationType.ABANDON,
  } as const;
}
