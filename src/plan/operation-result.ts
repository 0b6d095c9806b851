/** The result of an operation, from what its plan said, how its services ended and what its steps added. */
import type { CheckOutcome, PlannedCheck } from '../contract/checks.ts';
import type { OperationResult, ServiceFailure, ServiceOutcome } from '../contract/operations/deploy.ts';
import type { OperationPlan } from '../contract/operations/plan.ts';
import {
  DEPENDENCY_FAILED,
  DEPENDENCY_SKIPPED,
  SKIPPED_BY_REQUEST,
  STOPPED,
  isSuccess,
} from '../contract/operations/states.ts';
import type { OperationStep } from '../contract/operations/steps.ts';
import { checksFailure } from './checks/failure.ts';

export interface OperationEnd {
  run: Pick<OperationResult, 'operation' | 'environment' | 'workflowId' | 'runId' | 'promotedFrom'>;
  seconds: number;
  /** Absent where it could not be made. */
  plan: OperationPlan | undefined;
  services: ServiceOutcome[];
  /** What steps have added so far, by `withAddition`. */
  added: Partial<OperationResult>;
  failure: ServiceFailure | undefined;
  cancelled: boolean;
  supersededBy: string | undefined;
}

export function operationResult(end: OperationEnd): OperationResult {
  const { run, seconds, plan, services, added, supersededBy } = end;
  const failure = end.failure ?? added.failure ?? checksFailure(added.checks);
  const notes = [
    ...(plan?.notes ?? []),
    ...(added.notes ?? []),
    ...services.flatMap((service) => service.notes ?? []),
    ...skipNotes(services),
  ];
  return {
    ...run,
    services,
    seconds,
    criticalPathSeconds: plan?.criticalPathSeconds ?? 0,
    criticalPath: plan?.criticalPath ?? [],
    planDigest: plan?.digest ?? '',
    ...(plan?.toVersion === undefined ? {} : { toVersion: plan.toVersion }),
    ...(plan?.steps?.some(({ kind, undo }) => kind === 'adopt' && undo) ? { givenBack: true as const } : {}),
    ...added,
    ...(added.checks ? { checks: inOrder(plan?.checks ?? [], added.checks) } : {}),
    ...(notes.length === 0 ? {} : { notes }),
    outcome: outcomeOf(end, failure),
    ...(failure ? { failure } : {}),
    ...(supersededBy === undefined ? {} : { supersededBy }),
  };
}

/** As the plan names them, whichever ended first. */
function inOrder(planned: readonly PlannedCheck[], checks: readonly CheckOutcome[]): CheckOutcome[] {
  const place = ({ service, name }: CheckOutcome): number =>
    planned.findIndex((check) => check.service === service && check.name === name);
  return checks.toSorted((a, b) => place(a) - place(b));
}

/** Lists what is missing although the operation may have succeeded. */
function skipNotes(services: readonly ServiceOutcome[]): string[] {
  const of = (type: string): ServiceOutcome[] => services.filter(({ failure }) => failure?.type === type);
  const lost = of(DEPENDENCY_SKIPPED).map(({ name }) => name);
  return [
    ...of(SKIPPED_BY_REQUEST).map(({ name, failure }) => `${name} was ${failure?.message ?? 'skipped'}`),
    ...(lost.length === 0 ? [] : [`Not started without what was skipped: ${lost.join(', ')}`]),
  ];
}

function outcomeOf(
  { cancelled, supersededBy, services, added }: OperationEnd,
  failure: ServiceFailure | undefined,
): OperationResult['outcome'] {
  if (cancelled || supersededBy !== undefined) return 'cancelled';
  if (failure !== undefined || services.some(({ state }) => state === 'failed')) return 'failed';
  if (added.outcome !== undefined) return added.outcome;
  // What was skipped while Helm was at work on it has changed all the same.
  return services.every(({ state, changed }) => state === 'unchanged' || (state === 'skipped' && !changed))
    ? 'unchanged'
    : 'succeeded';
}

/** Whether a closing step is carried out after this result. */
export function isDue({ finally: when }: OperationStep, { outcome, failure }: OperationResult): boolean {
  switch (when) {
    case 'always':
      return true;
    case 'interrupted':
      return outcome === 'cancelled' || failure !== undefined;
    case 'failed':
      return outcome === 'failed';
    case 'succeeded':
      return isSuccess(outcome);
    default:
      return false;
  }
}

/** What a step adds to the result: notes, evidence and checks beside those of others. */
export function withAddition(
  before: Partial<OperationResult>,
  { notes = [], result = {} }: { notes?: string[]; result?: Partial<OperationResult> },
): Partial<OperationResult> {
  const all = [...(before.notes ?? []), ...notes];
  const evidence = [...(before.evidence ?? []), ...(result.evidence ?? [])];
  const checks = [...(before.checks ?? []), ...(result.checks ?? [])];
  return {
    ...before,
    ...result,
    ...(all.length > 0 ? { notes: all } : {}),
    ...(evidence.length > 0 ? { evidence } : {}),
    ...(checks.length > 0 ? { checks } : {}),
  };
}

/** Every failure with the file that holds its evidence, and what was not done for it: a line each. */
export function failureText(result: OperationResult): string {
  const failed = result.services.filter((service) => service.state === 'failed');
  const skipped = (type: string): number =>
    result.services.filter(({ state, failure }) => state === 'skipped' && failure?.type === type).length;
  const lines = failed.map(
    (service) => `${service.name}: ${service.failure?.message ?? 'failed'}${evidenceText(result, service)}`,
  );
  if (result.failure) lines.unshift(result.failure.message);
  if (skipped(DEPENDENCY_FAILED) > 0)
    lines.push(`${skipped(DEPENDENCY_FAILED)} services were skipped, because something they depend on failed`);
  if (skipped(STOPPED) > 0) lines.push(`${skipped(STOPPED)} services were not started any more`);
  return lines.join('\n');
}

function evidenceText({ evidence = [] }: OperationResult, { name, failure }: ServiceOutcome): string {
  const before = evidence.find(({ service }) => service === name)?.file;
  const files = [
    ...(failure?.evidence ? [failure.evidence] : []),
    ...(before === undefined ? [] : [`before it was touched: ${before}`]),
  ];
  return files.length === 0 ? '' : ` (evidence: ${files.join('; ')})`;
}
