/** Operations that another workflow starts under their own lock. */
import { ChildWorkflowCancellationType, ParentClosePolicy } from '@temporalio/workflow';
import type { OperationInput } from '../contract/operations/deploy.ts';
import type { Operation } from '../contract/operations/plan.ts';
import { startOptionsOf } from '../contract/operations/start-options.ts';

/** Neither the end of whoever starts it nor the cancellation of that is any business of the operation. */
export function byItself<Input extends OperationInput>(operation: Operation, input: Input) {
  return {
    ...startOptionsOf(operation, input),
    args: [input] as [Input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    parentClosePolicy: ParentClosePolicy.ABANDON,
    cancellationType: ChildWorkflowCancellationType.ABANDON,
  } as const;
}
