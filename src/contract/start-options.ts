/**
 * How an operation is started under the lock, by a person's command or by the queue: id, memo and what the UI shows.
 */
import type { OperationInput } from './deploy.ts';
import type { LockMemo } from './lock.ts';
import { deployWorkflowId } from './names.ts';
import type { Operation } from './plan.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';

const SUMMARIES: Record<Operation, string> = {
  deploy: 'Deploy the platform to',
  rollback: 'Roll the platform back on',
  repair: 'Repair drift on',
  destroy: 'Take the platform down on',
};

export function startOptionsOf(operation: Operation, { environment, clusterUid, requestedBy }: OperationInput) {
  const memo: LockMemo = { operation, requestedBy };
  return {
    workflowId: deployWorkflowId(environment, clusterUid),
    memo: { ...memo },
    typedSearchAttributes: [
      { key: SEARCH_ATTRIBUTES.environment, value: environment },
      { key: SEARCH_ATTRIBUTES.operation, value: operation },
      { key: SEARCH_ATTRIBUTES.result, value: 'running' },
    ],
    staticSummary: `${SUMMARIES[operation]} ${environment}`,
    staticDetails: `Requested by ${requestedBy}`,
  };
}
