/** What a caller gets to know of an operation: stable, and without what only people need. Pure. */
import type { OperationOutput } from '../../contract/nexus/service.d.ts';
import type { OperationResult } from '../../contract/operations/deploy.ts';

export function operationOutput(
  result: OperationResult,
  { requestedBy, attached, notes = [] }: { requestedBy: string; attached: boolean; notes?: readonly string[] },
): OperationOutput {
  const { promotedFrom, checks = [], failure } = result;
  return {
    operation: result.operation,
    environment: result.environment,
    outcome: result.outcome,
    attached,
    requestedBy,
    workflowId: result.workflowId,
    runId: result.runId,
    planDigest: result.planDigest,
    seconds: result.seconds,
    ...(result.version === undefined ? {} : { version: result.version }),
    ...(promotedFrom ? { promotedFrom: { environment: promotedFrom.environment, version: promotedFrom.version } } : {}),
    services: result.services.map(({ name, state, changed, seconds, failure: why }) => ({
      name,
      state,
      changed,
      seconds,
      ...(why ? { failure: `${why.type}: ${why.message}` } : {}),
    })),
    failedChecks: checks
      .filter(({ passed }) => !passed)
      .map(({ service, name, text }) => `${service}/${name}: ${text}`),
    notes: [...notes, ...(failure ? [`${failure.type}: ${failure.message}`] : []), ...(result.notes ?? [])],
  };
}
