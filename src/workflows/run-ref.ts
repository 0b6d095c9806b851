/** What activities and phases get to know of the run that they belong to. */
import { workflowInfo } from '@temporalio/workflow';
import type { RunRef } from '../contract/operations/deploy.ts';
import type { Operation } from '../contract/operations/plan.ts';
import type { OperationRequest } from './steps/call.ts';

/** @param undoes run that is taken back, under its lock */
export function runOf(operation: Operation, input: OperationRequest, undoes: string | undefined): RunRef {
  const info = workflowInfo();
  return {
    environment: input.environment,
    imageTags: input.imageTags ?? {},
    clusterUid: input.clusterUid,
    workflowId: info.workflowId,
    runId: info.runId,
    ...(undoes === undefined ? {} : { undoes }),
    operation,
    requestedBy: input.requestedBy,
    ...(input.confirmation ? { confirmation: input.confirmation } : {}),
  };
}
