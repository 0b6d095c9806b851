/** The operations that an engine still has, of all its environments or of one, in one request. */
import type { Client } from '@temporalio/client';
import { forgiving, isUnreadable } from './encryption/readable.ts';
import { isLockId, lockIdPrefix } from '../../contract/names.ts';
import { type Operation, OPERATIONS } from '../../contract/operations/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/search-attributes.ts';

export interface OperationSummary {
  environment: string;
  workflowId: string;
  runId: string;
  operation: Operation;
  /** `running`, an outcome (`succeeded`, `unchanged`, `failed`, `cancelled`), or how the engine ended it. */
  state: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  endedAt?: number;
  requestedBy: string;
}

/** A request that names no run returns the newest ones only. */
const MOST = 200;

/** Narrows the list to one environment and to runs whose id begins so. */
export interface OperationFilter {
  environment: string;
  /** Hexadecimal digits and hyphens. */
  run: string;
}

/** Whoever asked for it is written with a key that is not here. */
function ofAnotherKey(value: unknown): string {
  return isUnreadable(value) ? '(encrypted)' : '';
}

/**
 * The newest first, running ones before all others; works without a worker and without a cluster.
 *
 * @param filter absent: the newest 200 of all environments
 */
export async function operationsOf(client: Client, filter?: OperationFilter): Promise<OperationSummary[]> {
  const types = `WorkflowType IN (${OPERATIONS.map((operation) => `'${operation}'`).join(', ')})`;
  const query = filter
    ? `${types} AND WorkflowId STARTS_WITH '${lockIdPrefix(filter.environment)}' AND RunId STARTS_WITH '${filter.run}'`
    : types;
  const found: OperationSummary[] = [];
  // Of other environments, too, whose keys are not here: their memos alone are encrypted.
  for await (const info of forgiving(client).workflow.list({ query, pageSize: MOST })) {
    const { workflowId, runId, type, status, startTime, closeTime, memo, typedSearchAttributes } = info;
    const operation = OPERATIONS.find((known) => known === type);
    // One that takes back what a failed deployment changed belongs to that deployment.
    if (operation === undefined || !isLockId(workflowId)) continue;
    const running = status.name === 'RUNNING';
    const result = typedSearchAttributes.get(SEARCH_ATTRIBUTES.result);
    const ended = result === undefined || result === 'running' ? status.name.toLowerCase() : result;
    found.push({
      environment: typedSearchAttributes.get(SEARCH_ATTRIBUTES.environment) ?? workflowId.split('/')[1] ?? '',
      workflowId,
      runId,
      operation,
      state: running ? 'running' : ended,
      startedAt: startTime.getTime(),
      ...(closeTime ? { endedAt: closeTime.getTime() } : {}),
      requestedBy:
        typeof memo?.['requestedBy'] === 'string' ? memo['requestedBy'] : ofAnotherKey(memo?.['requestedBy']),
    });
    if (found.length >= MOST) break;
  }
  const order = ({ state, startedAt }: OperationSummary): number => (state === 'running' ? Infinity : startedAt);
  return found.sort((a, b) => (order(a) === order(b) ? b.startedAt - a.startedAt : order(b) - order(a)));
}
