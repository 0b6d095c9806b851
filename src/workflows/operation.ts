/**
 * What all operations on a platform have in common: a plan, then its phases at once. The workflow's id is the lock of its
 * environment and cluster. What one phase finishes is passed on to the phases that wait for it.
 */
import {
  ApplicationFailure, CancellationScope, CancelledFailure, ChildWorkflowCancellationType, type ChildWorkflowHandle, isCancellation, ParentClosePolicy,
  setCurrentDetails, setHandler, startChild, upsertSearchAttributes, workflowInfo,
} from '@temporalio/workflow';
import type { DeployResult, OperationInput, RunRef, ServiceFailure, ServiceOutcome } from '../contract/deploy.ts';
import { FAILURES } from '../contract/failures.ts';
import { phaseWorkflowId } from '../contract/names.ts';
import type { DeployPlan, Operation } from '../contract/plan.ts';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.ts';
import { GOOD_STATES } from '../contract/states.ts';
import { deploymentDetails } from '../plan/details.ts';
import { applyEvent, type DeploymentEvent, type DeploymentProgress, emptyProgress, isSettled, outcomes } from '../plan/progress.ts';
import { ground } from './activity-proxies.ts';
import { failureOf } from './failure-of.ts';
import { dependencySettled, deployment, serviceProgress } from './messages.ts';
import { phase } from './phase.ts';

export interface OperationSteps {
  operation: Operation;
  input: OperationInput & { imageTags?: Record<string, string> };
  /** Changes nothing. */
  plan: (run: RunRef) => Promise<DeployPlan>;
  /** Between the plan and the first phase. What it returns goes into the result. */
  before?: (run: RunRef, plan: DeployPlan) => Promise<Partial<DeployResult>>;
  /** After the last phase, whether or not services failed, unless the operation was cancelled. What it returns goes into the result. */
  after?: (run: RunRef, plan: DeployPlan, view: DeploymentProgress) => Promise<Partial<DeployResult>>;
  /** Once the outcome is known, whatever it is; is not cancelled. What it returns goes into the result. */
  finish?: (run: RunRef, result: DeployResult) => Promise<Partial<DeployResult>>;
}

/** @throws ApplicationFailure DeployFailed, or CancelledFailure, with the result as its detail */
export async function runOperation({ operation, input, ...steps }: OperationSteps): Promise<DeployResult> {
  const info = workflowInfo();
  const startedAt = info.startTime.getTime();
  const run: RunRef = { environment: input.environment, imageTags: input.imageTags ?? {}, clusterUid: input.clusterUid, workflowId: info.workflowId, runId: info.runId };
  let view = emptyProgress(startedAt);
  const children = new Map<number, ChildWorkflowHandle<typeof phase>>();
  const early: { service: string; phases: number[] }[] = [];

  const fold = (event: DeploymentEvent): void => {
    view = applyEvent(view, event);
    setCurrentDetails(deploymentDetails(view, new Map(view.plan?.phases.map(({ number, title }) => [number, title]))));
  };
  /** Phases tell each other; only what one could not tell, because the other had not started yet, is passed on here. */
  const relay = (service: string, phases: readonly number[]): void => {
    const ok = GOOD_STATES.includes(view.services[service]?.state ?? 'waiting');
    for (const number of phases) {
      const child = children.get(number);
      // A phase that has already ended no longer needs to know.
      if (child) void child.signal(dependencySettled, { service, ok }).catch(() => undefined);
      else early.push({ service, phases: [number] });
    }
  };
  setHandler(deployment, () => ({ ...(view.plan ? { plan: view.plan } : {}), progress: view.services }));
  setHandler(serviceProgress, (event) => {
    fold({ kind: 'progress', event });
    if (event.untold) relay(event.service, event.untold);
  });

  const body = async (): Promise<void> => {
    setCurrentDetails(deploymentDetails(view, new Map()));
    const plan = await steps.plan(run);
    fold({ kind: 'plan', plan, at: Date.now() });
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.plan, value: plan.digest }]);
    extra = { ...(await steps.before?.(run, plan)) };
    const settled = plan.services.filter((service) => isSettled(service.action)).map((service) => service.name);
    const started = await Promise.all(plan.phases.map(async ({ number, title }) => {
      const child = await startChild(phase, {
        workflowId: phaseWorkflowId(info.workflowId, info.runId, number),
        args: [{ run, phase: number, title, services: plan.services.filter((service) => service.phase === number), settled, tells: tellsOf(plan, number), helmTimeoutSeconds: plan.helmTimeoutSeconds }],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        staticSummary: `Phase ${number}: ${title} (${input.environment})`,
        typedSearchAttributes: [
          { key: SEARCH_ATTRIBUTES.environment, value: input.environment },
          { key: SEARCH_ATTRIBUTES.phase, value: `${String(number).padStart(2, '0')} ${title}` },
          { key: SEARCH_ATTRIBUTES.plan, value: plan.digest },
        ],
      });
      children.set(number, child);
      return child;
    }));
    for (const { service, phases } of early.splice(0)) relay(service, phases);
    // Each service's end has arrived as a signal; a failed phase is known from those.
    await Promise.all(started.map((child) => child.result().catch((error: unknown) => {
      if (isCancellation(error)) throw error;
      if (!outcomes(view).some((outcome) => outcome.state === 'failed')) throw error;
    })));
    extra = { ...extra, ...(await steps.after?.(run, plan, view)) };
  };

  let extra: Partial<DeployResult> = {};
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
  const failed = failure !== undefined || services.some((service) => service.state === 'failed');
  const idle = services.every((service) => ['unchanged', 'skipped'].includes(service.state));
  const outcome: DeployResult['outcome'] = cancelled ? 'cancelled' : failed ? 'failed' : (extra.outcome ?? (idle ? 'unchanged' : 'succeeded'));
  let result: DeployResult = {
    operation, environment: input.environment, workflowId: info.workflowId, runId: info.runId, services,
    seconds: (Date.now() - startedAt) / 1000,
    criticalPathSeconds: view.plan?.criticalPathSeconds ?? 0,
    criticalPath: view.plan?.criticalPath ?? [],
    planDigest: view.plan?.digest ?? '',
    ...(view.plan?.toVersion === undefined ? {} : { toVersion: view.plan.toVersion }),
    ...(view.plan?.notes === undefined ? {} : { notes: view.plan.notes }),
    ...extra,
    outcome,
    ...(failure ? { failure } : {}),
  };
  await CancellationScope.nonCancellable(async () => {
    result = { ...result, ...(await steps.finish?.(run, result)) };
    await record(input, run, result);
  });
  if (outcome === 'cancelled') throw new CancelledFailure(`The ${operation} was cancelled`, [result]);
  if (outcome === 'failed') throw ApplicationFailure.create({ message: failureText(result), type: FAILURES.deployFailed, nonRetryable: true, details: [result] });
  return result;
}

/** Cancels in good order when the time is up, and says so instead of "cancelled". */
async function withDeadline(seconds: number, body: () => Promise<void>): Promise<void> {
  try {
    await CancellationScope.withTimeout(seconds * 1000, body);
  } catch (error) {
    if (isCancellation(error) && !CancellationScope.current().consideredCancelled) {
      throw ApplicationFailure.nonRetryable(`It was not done within its ${seconds} s and was stopped in good order`, FAILURES.notHealthyInTime);
    }
    throw error;
  }
}

async function record(input: OperationInput, run: RunRef, result: DeployResult): Promise<void> {
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.result, value: result.outcome }]);
  try {
    await ground.recordResult.executeWithOptions({ summary: `Audit: ${result.outcome}` },
      [{ run, operation: result.operation, requestedBy: input.requestedBy, planDigest: result.planDigest, outcome: result.outcome, seconds: result.seconds }]);
  } catch {
    // The operation's own result matters more than its audit line, which the history holds as well.
  }
}

/** For each service of a phase, the other phases in which something waits for it. */
function tellsOf(plan: DeployPlan, phaseNumber: number): Record<string, number[]> {
  const waiting = (name: string): number[] => plan.services.filter((candidate) => candidate.phase !== phaseNumber && !isSettled(candidate.action) && candidate.dependsOn.includes(name)).map((candidate) => candidate.phase);
  return Object.fromEntries(plan.services.filter((service) => service.phase === phaseNumber).map(({ name }) => [name, [...new Set(waiting(name))]]));
}

function evidenceText({ evidence = [] }: DeployResult, { name, failure }: ServiceOutcome): string {
  const before = evidence.find(({ service }) => service === name)?.file;
  const files = [...(failure?.evidence ? [failure.evidence] : []), ...(before === undefined ? [] : [`before it was touched: ${before}`])];
  return files.length === 0 ? '' : ` (evidence: ${files.join('; ')})`;
}

function failureText(result: DeployResult): string {
  const failed = result.services.filter((service) => service.state === 'failed');
  const skipped = result.services.filter((service) => service.state === 'skipped').length;
  const lines = failed.map((service) => `${service.name}: ${service.failure?.message ?? 'failed'}${evidenceText(result, service)}`);
  if (result.failure) lines.unshift(result.failure.message);
  if (skipped > 0) lines.push(`${skipped} services were skipped, because something they depend on failed`);
  return lines.join('\n');
}
