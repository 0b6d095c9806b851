/** An operation that another workflow has started under its lock, and whose end it waits for. */
import {
  CancellationScope,
  type ChildWorkflowHandle,
  getExternalWorkflowHandle,
  isCancellation,
} from '@temporalio/workflow';
import type { OperationResult } from '../contract/operations/deploy.ts';
import type { deploy } from './operation.ts';

/**
 * Waits for the result. When the calling workflow is cancelled, the operation is cancelled too and its end is waited
 * for: Helm finishes what it has begun.
 * @throws what the operation has ended with
 */
export async function resultOrCancel(child: ChildWorkflowHandle<typeof deploy>): Promise<OperationResult> {
  const result = CancellationScope.nonCancellable(() => child.result());
  try {
    return await Promise.race([result, CancellationScope.current().cancelRequested]);
  } catch (error) {
    if (!isCancellation(error) || !CancellationScope.current().consideredCancelled) throw error;
    return CancellationScope.nonCancellable(async () => {
      // One that has ended meanwhile cannot be cancelled, and need not be.
      await getExternalWorkflowHandle(child.workflowId, child.firstExecutionRunId)
        .cancel()
        .catch(() => undefined);
      return result;
    });
  }
}
