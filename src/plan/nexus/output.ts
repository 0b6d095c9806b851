/** What a caller gets to know of an operation: stable, and without what only people need. Pure. */
import type { OperationOutput } from '../../contract/nexus/service.d.ts';
import type { OperationResult, ServiceOutcome } from '../../contract/operations/deploy.ts';

/** Together far below what the deployer's own workers would compress, which callers could not read. */
const MOST_SERVICES = 250;
const MOST_LINES = 100;
const LONGEST_LINE = 250;

/** Of many the first, each as one line of bounded length. */
export function boundedLines(lines: readonly string[]): string[] {
  const more = lines.length - MOST_LINES;
  return [...lines.slice(0, MOST_LINES).map(shortLine), ...(more > 0 ? [`and ${more} more`] : [])];
}

function shortLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}

/** All, or of very many those that something was done to, or went wrong with. */
function toldServices(services: readonly ServiceOutcome[]): readonly ServiceOutcome[] {
  if (services.length <= MOST_SERVICES) return services;
  const worth = ({ changed, state }: ServiceOutcome): number =>
    state === 'failed' ? 0 : changed ? 1 : state === 'unchanged' ? 3 : 2;
  return services.toSorted((a, b) => worth(a) - worth(b)).slice(0, MOST_SERVICES);
}

export function operationOutput(
  result: OperationResult,
  { requestedBy, attached, notes = [] }: { requestedBy: string; attached: boolean; notes?: readonly string[] },
): OperationOutput {
  const { promotedFrom, checks = [], failure } = result;
  const services = toldServices(result.services);
  const untold = result.services.length - services.length;
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
    services: services.map(({ name, state, changed, seconds, failure: why }) => ({
      name,
      state,
      changed,
      seconds,
      ...(why ? { failure: shortLine(`${why.type}: ${why.message}`) } : {}),
    })),
    failedChecks: boundedLines(
      checks.filter(({ passed }) => !passed).map(({ service, name, text }) => `${service}/${name}: ${text}`),
    ),
    notes: boundedLines([
      ...notes,
      ...(untold > 0 ? [`${untold} more services, to most of which nothing was done`] : []),
      ...(failure ? [`${failure.type}: ${failure.message}`] : []),
      ...(result.notes ?? []),
    ]),
  };
}
