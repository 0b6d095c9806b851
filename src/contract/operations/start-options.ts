/**
 * How an operation is started under the lock, by a person's command or by the queue: id, memo and what the UI shows.
 */
import type { DeployInput, OperationInput } from './deploy.ts';
import type { LockMemo } from '../lock.ts';
import { operationWorkflowId } from '../names.ts';
import type { Operation } from './plan.ts';
import { SEARCH_ATTRIBUTES } from '../search-attributes.ts';

const SUMMARIES: Record<Operation, string> = {
  deploy: 'Deploy the platform to',
  rollback: 'Roll the platform back on',
  repair: 'Repair drift on',
  destroy: 'Take the platform down on',
  adopt: 'Take over what somebody else has installed on',
  rotate: 'Rotate secrets of',
};

/**
 * What a deployment is asked for: tags and selection, whatever their order. A plan that somebody has approved is its
 * own.
 */
export function asksOf({ imageTags, selection = {}, expectedDigest }: Partial<DeployInput>): string | undefined {
  if (imageTags === undefined || expectedDigest !== undefined) return undefined;
  const { only, phases, from, skip, withDependencies, rerun } = selection;
  const sorted = (list: readonly (string | number)[] | undefined): string[] => (list ?? []).map(String).sort();
  const tags = Object.entries(imageTags).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    tags,
    sorted(only),
    sorted(phases),
    sorted(from),
    sorted(skip),
    withDependencies === true,
    sorted(rerun),
  ]);
}

export function startOptionsOf(operation: Operation, input: OperationInput & Partial<DeployInput>) {
  const { environment, clusterUid, requestedBy } = input;
  const asks = operation === 'deploy' ? asksOf(input) : undefined;
  const memo: LockMemo = { operation, requestedBy, ...(asks === undefined ? {} : { asks }) };
  return {
    workflowId: operationWorkflowId(environment, clusterUid),
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
