/**
 * What all operations on a platform have in common: a plan, then its phases at once. The workflow's id is the lock of
 * its environment and cluster. It ends when the last of its children has ended, however it was asked to.
 */
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { OperationResult, OperationInput, RunRef, ServiceFailure, ServiceOutcome } from '../contract/deploy.ts';
import { FAILURES } from '../contract/failures.ts';
import type { OperationPlan, Operation } from '../contract/plan.ts';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.ts';
import { DEPENDENCY_FAILED, GOOD_STATES, STOPPED } from '../contract/states.ts';
import { deploymentDetails } from '../plan/details.ts';
import {
  applyEvent,
  type DeploymentEvent,
  type DeploymentProgress,
  emptyProgress,
  isNoop,
  outcomes,
} from '../plan/progress.ts';
import { ground, settling } from './activity-proxies.ts';
import { failureOf } from './failure-of.ts';
import { deployment, serviceProgress } from './messages.ts';
import { createPhases } from './phases.ts';
import { createSuperseding } from './superseding.ts';

export interface OperationSteps {
  operation: Operation;
  input: OperationInput & { imageTags?: Record<string, string> };
  /** Run that is taken back, under its lock. */
  undoes?: string;
  /** Changes nothing. */
  plan: (run: RunRef) => Promise<OperationPlan>;
  /** Between the plan and the first phase. What it returns goes into the result. */
  before?: (run: RunRef, plan: OperationPlan) => Promise<Partial<OperationResult>>;
  /**
   * After the last phase, whether or not services failed, unless the operation was cancelled. What it returns goes into
   * the result.
   */
  after?: (run: RunRef, plan: OperationPlan, view: DeploymentProgress) => Promise<Partial<OperationResult>>;
  /** Once the outcome is known, whatever it is; is not cancelled. What it returns goes into the result. */
  finish?: (run: RunRef, result: OperationResult) => Promise<Partial<OperationResult>>;
}

/** @throws ApplicationFailure DeployFailed, or CancelledFailure, with the result as its detail */
export async function runOperation({ operation, input, ...steps }: OperationSteps): Promise<OperationResult> {
  const info = workflowInfo();
  const startedAt = info.startTime.getTime();
  const run: RunRef = {
    environment: input.environment,
    imageTags: input.imageTags ?? {},
    clusterUid: input.clusterUid,
    workflowId: info.workflowId,
    runId: info.runId,
    ...(steps.undoes === undefined ? {} : { undoes: steps.undoes }),
    operation,
    requestedBy: input.requestedBy,
    ...(input.confirmation ? { confirmation: input.confirmation } : {}),
  };
  let view = emptyProgress(startedAt);
  const phases = createPhases(run);
  const superseding = createSuperseding(operation, phases);

  const fold = (event: DeploymentEvent): void => {
    view = applyEvent(view, event);
    setCurrentDetails(deploymentDetails(view, new Map(view.plan?.phases.map(({ number, title }) => [number, title]))));
  };
  setHandler(deployment, () => ({ ...(view.plan ? { plan: view.plan } : {}), progress: view.services }));
  setHandler(serviceProgress, (event) => {
    fold({ kind: 'progress', event });
    if (event.untold)
      phases.tell(
        { service: event.service, ok: GOOD_STATES.includes(view.services[event.service]?.state ?? 'waiting') },
        event.untold,
      );
    if (event.state === 'failed' && view.plan && view.plan.onFailure !== 'continue')
      phases.stop({
        reason: `${event.service} failed, and nothing further starts then (onFailure: ${view.plan.onFailure})`,
        mode: 'finish',
      });
  });

  /** Somebody took over, and not too late to leave something undone. */
  const gaveWay = (): boolean =>
    superseding.by() !== undefined &&
    (!view.plan || outcomes(view).some(({ state, failure: why }) => state === 'cancelled' || why?.type === STOPPED));
  const body = async (): Promise<void> => {
    setCurrentDetails(deploymentDetails(view, new Map()));
    const plan = await superseding.beginning(async () => {
      const made = await steps.plan(run);
      fold({ kind: 'plan', plan: made, at: Date.now() });
      upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.plan, value: made.digest }]);
      extra = { ...(await steps.before?.(run, made)) };
      return made;
    });
    if (!plan) return;
    const errors = await superseding.phases(plan);
    if (gaveWay()) return;
    const cancellation = errors.find(isCancellation);
    if (cancellation) throw cancellation;
    // Each service's end has arrived as a signal; a failed phase is known from those.
    if (errors.length > 0 && !outcomes(view).some((outcome) => outcome.state === 'failed'))
      throw errors[0] ?? ApplicationFailure.nonRetryable('A phase failed');
    extra = { ...extra, ...(await steps.after?.(run, plan, view)) };
  };

  let extra: Partial<OperationResult> = {};
  let failure: ServiceFailure | undefined;
  let cancelled = false;
  try {
    if (input.timeoutSeconds === undefined) await body();
    else await withDeadline(input.timeoutSeconds, body);
  } catch (error) {
    if (error instanceof ApplicationFailure && error.type === FAILURES.notHealthyInTime) failure = failureOf(error);
    else if (isCancellation(error)) cancelled = true;
    else failure = failureOf(error);
  }
  const services = outcomes(view);
  failure ??= extra.failure;
  const supersededBy = gaveWay() ? superseding.by() : undefined;
  cancelled ||= supersededBy !== undefined;
  const failed = failure !== undefined || services.some((service) => service.state === 'failed');
  const idle = services.every((service) => ['unchanged', 'skipped'].includes(service.state));
  const outcome: OperationResult['outcome'] = cancelled
    ? 'cancelled'
    : failed
      ? 'failed'
      : (extra.outcome ?? (idle ? 'unchanged' : 'succeeded'));
  const notes = [...(view.plan?.notes ?? []), ...services.flatMap((service) => service.notes ?? [])];
  let result: OperationResult = {
    operation,
    environment: input.environment,
    workflowId: info.workflowId,
    runId: info.runId,
    services,
    seconds: (Date.now() - startedAt) / 1000,
    criticalPathSeconds: view.plan?.criticalPathSeconds ?? 0,
    criticalPath: view.plan?.criticalPath ?? [],
    planDigest: view.plan?.digest ?? '',
    ...(view.plan?.toVersion === undefined ? {} : { toVersion: view.plan.toVersion }),
    ...(notes.length === 0 ? {} : { notes }),
    ...extra,
    outcome,
    ...(failure ? { failure } : {}),
    ...(supersededBy === undefined ? {} : { supersededBy }),
  };
  await CancellationScope.nonCancellable(async () => {
    // Whatever was interrupted has ended by now; a Helm that had to be killed leaves its release locked.
    if (view.plan && (cancelled || failure)) await settle(run, view.plan);
    result = { ...result, ...(await steps.finish?.(run, result)) };
    await record(input, run, result);
  });
  // The engine counts as cancelled only what it was asked to cancel itself.
  if (supersededBy !== undefined && !CancellationScope.current().consideredCancelled)
    throw ApplicationFailure.create({
      message: `The ${operation} was superseded by ${supersededBy}`,
      type: FAILURES.superseded,
      nonRetryable: true,
      details: [result],
    });
  if (outcome === 'cancelled') throw new CancelledFailure(`The ${operation} was cancelled`, [result]);
  if (outcome === 'failed')
    throw ApplicationFailure.create({
      message: failureText(result),
      type: FAILURES.deployFailed,
      nonRetryable: true,
      details: [result],
    });
  return result;
}

/** Cancels in good order when the time is up, and says so instead of "cancelled". */
async function withDeadline(seconds: number, body: () => Promise<void>): Promise<void> {
  try {
    await CancellationScope.withTimeout(seconds * 1000, body);
  } catch (error) {
    if (isCancellation(error) && !CancellationScope.current().consideredCancelled) {
      throw ApplicationFailure.nonRetryable(
        `It was not done within its ${seconds} s and was stopped in good order`,
        FAILURES.notHealthyInTime,
      );
    }
    throw error;
  }
}

/** What cannot be settled now is settled by the next operation: it must not hold up the end of this one. */
async function settle(run: RunRef, plan: OperationPlan): Promise<void> {
  const steps = plan.services
    .flatMap((service) => service.steps)
    .filter(({ kind, action }) => kind === 'release' && !isNoop(action) && action !== 'verify');
  if (steps.length === 0) return;
  await settling.settleReleases
    .executeWithOptions({ summary: 'No release is left half done' }, [
      { run, releases: steps.map(({ namespace, name }) => ({ namespace, name })) },
    ])
    .catch(() => undefined);
}

async function record(input: OperationInput, run: RunRef, result: OperationResult): Promise<void> {
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.result, value: result.outcome }]);
  try {
    await ground.recordResult.executeWithOptions({ summary: `Audit: ${result.outcome}` }, [
      {
        run,
        operation: result.operation,
        requestedBy: input.requestedBy,
        planDigest: result.planDigest,
        outcome: result.outcome,
        seconds: result.seconds,
      },
    ]);
  } catch {
    // The operation's own result matters more than its audit line, which the history holds as well.
  }
}

function evidenceText({ evidence = [] }: OperationResult, { name, failure }: ServiceOutcome): string {
  const before = evidence.find(({ service }) => service === name)?.file;
  const files = [
    ...(failure?.evidence ? [failure.evidence] : []),
    ...(before === undefined ? [] : [`before it was touched: ${before}`]),
  ];
  return files.length === 0 ? '' : ` (evidence: ${files.join('; ')})`;
}

function failureText(result: OperationResult): string {
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
