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
import type { OperationResult, RunRef, ServiceFailure, ServiceOutcome } from '../contract/deploy.ts';
import { FAILURES } from '../contract/failures.ts';
import type { OperationPlan, Operation } from '../contract/plan.ts';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.ts';
import type { OperationStep } from '../contract/steps.ts';
import { DEPENDENCY_FAILED, GOOD_STATES, STOPPED } from '../contract/states.ts';
import { deploymentDetails } from '../plan/details.ts';
import { applyEvent, type DeploymentEvent, emptyProgress, outcomes } from '../plan/progress.ts';
import { withSteps } from '../plan/steps/compile.ts';
import type { Intent } from '../plan/steps/intent.ts';
import { stagesOf } from '../plan/steps/order.ts';
import { stepsWithoutPlan } from '../plan/steps/platform.ts';
import { failureOf } from './failure-of.ts';
import { deployment, serviceProgress } from './messages.ts';
import { createPhases } from './phases.ts';
import type { OperationRequest, StepEnd } from './steps/call.ts';
import { runSteps, type RunSteps } from './steps/run.ts';
import { carryOut } from './steps/table.ts';
import { createSuperseding } from './superseding.ts';

export interface OperationRecipe {
  operation: Operation;
  input: OperationRequest;
  /** Of what the plan is to be complete. */
  intent: Intent;
  /** Run that is taken back, under its lock. */
  undoes?: string;
  /** Changes nothing. */
  plan: (run: RunRef) => Promise<OperationPlan>;
}

/**
 * Makes the plan and carries it out: what operations differ in is their plan.
 * @throws ApplicationFailure DeployFailed, or CancelledFailure, with the result as its detail
 */
export async function runOperation(recipe: OperationRecipe): Promise<OperationResult> {
  const { operation, input, intent } = recipe;
  const info = workflowInfo();
  const startedAt = info.startTime.getTime();
  const run: RunRef = {
    environment: input.environment,
    imageTags: input.imageTags ?? {},
    clusterUid: input.clusterUid,
    workflowId: info.workflowId,
    runId: info.runId,
    ...(recipe.undoes === undefined ? {} : { undoes: recipe.undoes }),
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
  const steps: RunSteps = {
    run,
    operation: () => ({ input, ...(view.plan ? { plan: view.plan } : {}), services: outcomes(view) }),
    endedWell: (id) => {
      const step = view.plan?.steps?.find((candidate) => candidate.id === id);
      if (step?.kind === 'services') return outcomes(view).every(({ state }) => GOOD_STATES.includes(state));
      return step?.service === undefined || GOOD_STATES.includes(view.services[step.service]?.state ?? 'waiting');
    },
    onEnd: (end) => {
      extra = merged(extra, end);
    },
  };
  const body = async (): Promise<void> => {
    setCurrentDetails(deploymentDetails(view, new Map()));
    const plan = await superseding.beginning(async () => {
      const made = withSteps(await recipe.plan(run), intent);
      fold({ kind: 'plan', plan: made, at: Date.now() });
      upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.plan, value: made.digest }]);
      await runSteps(stagesOf(made.steps).before, steps);
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
    await runSteps(stagesOf(plan.steps).after, steps);
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
  const notes = [
    ...(view.plan?.notes ?? []),
    ...(extra.notes ?? []),
    ...services.flatMap((service) => service.notes ?? []),
  ];
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
    ...extra,
    ...(notes.length === 0 ? {} : { notes }),
    outcome,
    ...(failure ? { failure } : {}),
    ...(supersededBy === undefined ? {} : { supersededBy }),
  };
  await CancellationScope.nonCancellable(async () => {
    const interrupted = cancelled || failure !== undefined;
    const due = (when: OperationStep['finally']): boolean =>
      when === 'always' ||
      (when === 'interrupted' && interrupted) ||
      (when === 'failed' && outcome === 'failed') ||
      (when === 'succeeded' && (outcome === 'succeeded' || outcome === 'unchanged'));
    const closing = view.plan?.steps ? stagesOf(view.plan.steps).closing : stepsWithoutPlan(intent);
    for (const step of closing.filter((candidate) => due(candidate.finally))) {
      if (step.kind === 'audit') upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.result, value: outcome }]);
      const end = await carryOut({ run, step, operation: { ...steps.operation(), result } });
      result = { ...result, ...merged(result, end) };
    }
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

/** What a step adds to the result: notes and evidence beside those of others. */
function merged(before: Partial<OperationResult>, { notes = [], result = {} }: StepEnd): Partial<OperationResult> {
  const all = [...(before.notes ?? []), ...notes];
  const evidence = [...(before.evidence ?? []), ...(result.evidence ?? [])];
  return {
    ...before,
    ...result,
    ...(all.length > 0 ? { notes: all } : {}),
    ...(evidence.length > 0 ? { evidence } : {}),
  };
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
