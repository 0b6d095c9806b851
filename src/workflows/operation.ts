/**
 * All operations on a platform: a plan is made, then carried out. The workflow's id is the lock of its environment and
 * cluster. It ends when the last of its children has ended, however it was asked to.
 */
import {
  ApplicationFailure,
  isCancellation,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { AdoptInput } from '../contract/operations/adopt.ts';
import type { DeployInput, OperationResult, ServiceFailure, ServiceProgress } from '../contract/operations/deploy.ts';
import type { DestroyInput } from '../contract/operations/destroy.ts';
import type { Operation, OperationPlan } from '../contract/operations/plan.ts';
import type { RepairInput } from '../contract/operations/repair.ts';
import type { RotateInput } from '../contract/operations/rotate.ts';
import type { RollbackInput } from '../contract/operations/rollback.ts';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.ts';
import { deploymentDetails } from '../plan/details.ts';
import { endedWell, isUnfinished } from '../plan/operation-ends.ts';
import { operationResult, withAddition } from '../plan/operation-result.ts';
import { applyEvent, type DeploymentEvent, emptyProgress, outcomes, settledBy } from '../plan/progress.ts';
import { actOf, inOrder } from '../plan/steering/acts.ts';
import { isUndoDue, lateSkips } from '../plan/steering/rest.ts';
import { type CompleteOperationPlan, withSteps } from '../plan/steps/compile.ts';
import { stagesOf } from '../plan/steps/order.ts';
import { stepsWithoutPlan } from '../plan/steps/platform.ts';
import { createAdmission, overrideOf, provedRequester } from './admission/admission.ts';
import { withDeadline } from './ending/deadline.ts';
import { failureOf } from './failure-of.ts';
import { deployment, serviceProgress } from './messages.ts';
import { measureOperation } from './metrics.ts';
import { orThrow } from './ending/or-throw.ts';
import { phase } from './phase.ts';
import { phaseOptions, runningPhases } from './phases.ts';
import { type Recipe, RECIPES } from './recipes.ts';
import type { OperationRequest, StepEnd } from './steps/call.ts';
import { closeOperation } from './steps/close.ts';
import { runOf } from './run-ref.ts';
import { runSteps, type RunSteps } from './steps/run.ts';
import { operationSteering } from './steering/operation.ts';
import { createSuperseding } from './ending/superseding.ts';

/** Whatever is missing or differs is applied, until every service is healthy. */
export function deploy(input: DeployInput): Promise<OperationResult> {
  return runOperation('deploy', input, RECIPES.deploy(input));
}

/** Back to an earlier platform version, dependents first; or what a failed deployment changed is taken back. */
export function rollback(input: RollbackInput): Promise<OperationResult> {
  return runOperation('rollback', input, RECIPES.rollback(input));
}

/** Brings back what has drifted, through the deployment's own activities; what is right is left untouched. */
export function repair(input: RepairInput): Promise<OperationResult> {
  return runOperation('repair', input, RECIPES.repair(input));
}

/** Takes the platform down, dependents first. Data stays unless it was asked for in words. */
export function destroy(input: DestroyInput): Promise<OperationResult> {
  return runOperation('destroy', input, RECIPES.destroy(input));
}

/** Takes over what somebody else has installed in the place of a service; applies and deletes nothing. */
export function adopt(input: AdoptInput): Promise<OperationResult> {
  return runOperation('adopt', input, RECIPES.adopt(input));
}

/** Replaces generated secrets by new values; what uses the old ones works until the last reader has the new one. */
export function rotate(input: RotateInput): Promise<OperationResult> {
  return runOperation('rotate', input, RECIPES.rotate(input));
}

/** @throws ApplicationFailure DeployFailed, or CancelledFailure, with the result as its detail */
async function runOperation(
  operation: Operation,
  input: OperationRequest,
  { intent, undoes, plan: makePlan }: Recipe,
): Promise<OperationResult> {
  const info = workflowInfo();
  const startedAt = info.startTime.getTime();
  const run = runOf(operation, input, undoes);
  let view = emptyProgress(startedAt);
  let added: Partial<OperationResult> = {};
  const phases = runningPhases();
  const superseding = createSuperseding(operation, phases);
  const steering = operationSteering({
    operation,
    run,
    phases,
    view: () => view,
    onChange: (changed) => {
      fold({ kind: 'steering', steering: changed, at: Date.now() });
    },
    onUnheard: (service) => {
      fold({ kind: 'progress', event: { ...view.services[service], service, state: 'cancelled', at: Date.now() } });
    },
  });

  const fold = (...events: DeploymentEvent[]): void => {
    view = events.reduce(applyEvent, view);
    setCurrentDetails(deploymentDetails(view));
    steering.look();
  };
  const admission = createAdmission(run, overrideOf(input), provedRequester(input), (wait) =>
    fold({ kind: 'waits', at: Date.now(), ...(wait ? { wait } : {}) }),
  );
  setHandler(deployment, () => ({
    ...(view.plan ? { plan: view.plan } : {}),
    progress: view.services,
    ...(view.steering ? { steering: view.steering } : {}),
  }));
  const heard = (event: ServiceProgress): void => {
    if (event.untold) phases.tell(settledBy(event.service, view.services[event.service]?.outcome), event.untold);
    steering.progress(event);
    const onFailure = view.plan?.onFailure ?? 'continue';
    if (steering.forPhases() !== undefined || event.state !== 'failed' || onFailure === 'continue') return;
    const reason = `${event.service} failed, and nothing further starts then (onFailure: ${onFailure})`;
    phases.stop({ reason, mode: 'finish' });
  };
  setHandler(serviceProgress, (...events) => {
    fold(...events.map((event) => ({ kind: 'progress' as const, event })));
    events.forEach(heard);
  });
  steering.listen();

  /** Whether somebody took the lock over before everything was done. */
  const gaveWay = (): boolean => superseding.by() !== undefined && isUnfinished(view);
  const steps: RunSteps = {
    run,
    operation: () => ({
      input,
      ...(view.plan ? { plan: view.plan } : {}),
      services: outcomes(view),
      ...(added.checks ? { checks: added.checks } : {}),
    }),
    endedWell: (id) => endedWell(view, id),
    onEnd: (end) => {
      added = withAddition(added, end);
    },
    safePoint: () => steering.safePoint(),
    undoes: () => isUndoDue(view),
  };
  /**
   * Runs all phases at once and waits until the last one has ended, also when they are cancelled: none may go on after
   * the lock is free.
   */
  const runPhases = async (plan: OperationPlan): Promise<Error[]> => {
    const one = async (planned: OperationPlan['phases'][number]): Promise<void> => {
      const child = await startChild(phase, phaseOptions(run, plan, planned, steering.forPhases()));
      phases.started(planned.number, child);
      try {
        await child.result();
      } finally {
        phases.ended(planned.number);
        steering.phaseEnded(planned.number);
      }
    };
    const ended = await Promise.allSettled(plan.phases.map(one));
    return ended.flatMap((end) => (end.status === 'rejected' ? [end.reason as Error] : []));
  };
  /**
   * Waits for everything that has to pass first (policy, freeze windows, gates). When that has taken long, the cluster
   * may have changed: then it plans again, until nothing is left to wait for.
   */
  const admitted = async (): Promise<CompleteOperationPlan> => {
    for (;;) {
      const made = withSteps(await makePlan(run), intent);
      if (made.digest !== view.plan?.digest) {
        fold({ kind: 'plan', plan: made, at: Date.now() });
        added = withAddition(added, { notes: steering.planned(made) });
        upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.plan, value: made.digest }]);
      }
      const ends: StepEnd[] = [];
      const onEnd = (end: StepEnd): void => {
        ends.push(end);
        steps.onEnd(end);
      };
      await runSteps(stagesOf(made.steps).admission, { ...steps, admission, onEnd });
      if (!ends.some(({ waited }) => waited)) return made;
    }
  };
  const body = async (): Promise<void> => {
    setCurrentDetails(deploymentDetails(view));
    const plan = await superseding.beginning(async () => {
      const made = await admitted();
      admission.goesOn();
      await runSteps(stagesOf(made.steps).before, steps);
      return made;
    });
    if (!plan) return;
    const errors = await superseding.phases(plan.helmTimeoutSeconds, () => runPhases(plan));
    steering.end();
    if (gaveWay()) return;
    const cancellation = errors.find(isCancellation);
    if (cancellation) throw cancellation;
    // Each service's end has arrived as a signal; a failed phase is known from those.
    if (errors.length > 0 && !outcomes(view).some((outcome) => outcome.state === 'failed'))
      throw errors[0] ?? ApplicationFailure.nonRetryable('A phase failed');
    await runSteps(stagesOf(plan.steps).after, steps);
  };

  let failure: ServiceFailure | undefined;
  let cancelled = false;
  try {
    await withDeadline(input.timeoutSeconds, body, steering.standsStill);
  } catch (error) {
    if (isCancellation(error)) cancelled = true;
    else failure = failureOf(error);
  }
  const interventions = view.steering?.interventions ?? [];
  added = withAddition(added, { notes: lateSkips(view) });
  const acts = inOrder([...admission.acts, ...interventions.map(actOf)]);
  const supersededBy = gaveWay() ? superseding.by() : undefined;
  const { environment } = input;
  const ended = operationResult({
    run: {
      operation,
      environment,
      workflowId: info.workflowId,
      runId: info.runId,
      ...(input.promotedFrom ? { promotedFrom: input.promotedFrom } : {}),
    },
    seconds: (Date.now() - startedAt) / 1000,
    plan: view.plan,
    services: outcomes(view),
    added: acts.length === 0 ? added : { ...added, acts },
    failure,
    cancelled,
    supersededBy,
  });
  const closing = view.plan?.steps ? stagesOf(view.plan.steps).closing : stepsWithoutPlan(intent);
  const result = await closeOperation(closing, ended, { run, operation: steps.operation });
  measureOperation(result);
  return orThrow(result);
}
