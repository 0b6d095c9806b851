/** The phases of one operation while they run as its children: their inputs, signals and queries. */
import {
  ChildWorkflowCancellationType,
  type ChildWorkflowHandle,
  type ChildWorkflowOptions,
  ParentClosePolicy,
  type WithWorkflowArgs,
} from '@temporalio/workflow';
import type { DependencySettled, RunRef } from '../contract/operations/deploy.ts';
import type { StopPhase } from '../contract/lock.ts';
import { phaseWorkflowId } from '../contract/names.ts';
import type { OperationPlan } from '../contract/operations/plan.ts';
import type { PhaseSteering } from '../contract/operations/steering.ts';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.ts';
import { isNoop } from '../plan/progress.ts';
import { dependencySettled, steerPhase, stopPhase } from './messages.ts';
import type { phase } from './phase.ts';

export interface RunningPhases {
  /** Sends the signals that arrived before the phase had started. */
  started(number: number, child: ChildWorkflowHandle<typeof phase>): void;
  ended(number: number): void;
  /**
   * Phases signal each other; only what one could not send, because the other had not started yet, is passed on here.
   */
  tell(settled: DependencySettled, phases: readonly number[]): void;
  /** Nothing further starts. After `yield` a later `finish` changes nothing. */
  stop(request: StopPhase): void;
  /** Sends the newest steering state, which replaces earlier ones. */
  steer(steering: PhaseSteering): void;
}

export function runningPhases(): RunningPhases {
  const children = new Map<number, ChildWorkflowHandle<typeof phase>>();
  const early: { settled: DependencySettled; number: number }[] = [];
  const over = new Set<number>();
  let stopping: StopPhase | undefined;
  let steering: PhaseSteering | undefined;
  // A phase that has already ended no longer needs to know.
  const ignore = (): void => undefined;
  return {
    started(number, child) {
      children.set(number, child);
      if (stopping) void child.signal(stopPhase, stopping).catch(ignore);
      for (const { settled } of early.filter((waiting) => waiting.number === number))
        void child.signal(dependencySettled, settled).catch(ignore);
      if (steering) void child.signal(steerPhase, steering).catch(ignore);
    },
    ended(number) {
      over.add(number);
    },
    tell(settled, phases) {
      for (const number of phases) {
        const child = children.get(number);
        if (child) void child.signal(dependencySettled, settled).catch(ignore);
        else early.push({ settled, number });
      }
    },
    stop(request) {
      if (stopping && (stopping.mode === 'yield' || request.mode === 'finish')) return;
      stopping = request;
      for (const child of children.values()) void child.signal(stopPhase, request).catch(ignore);
    },
    steer(next) {
      steering = next;
      for (const [number, child] of children) if (!over.has(number)) void child.signal(steerPhase, next).catch(ignore);
    },
  };
}

/** With what the child that carries out a phase is started. */
export function phaseOptions(
  run: RunRef,
  plan: OperationPlan,
  { number, title }: OperationPlan['phases'][number],
  steering: PhaseSteering | undefined,
): WithWorkflowArgs<typeof phase, Omit<ChildWorkflowOptions, 'typeInfo'>> {
  return {
    workflowId: phaseWorkflowId(run.workflowId, run.runId, number),
    args: [
      {
        run,
        phase: number,
        title,
        services: plan.services.filter((service) => service.phase === number),
        ...(plan.steps ? { steps: plan.steps.filter((step) => step.phase === number) } : {}),
        settled: plan.services.filter((service) => isNoop(service.action)).map((service) => service.name),
        tells: tellsOf(plan, number),
        ...(steering ? { steering } : {}),
        helmTimeoutSeconds: plan.helmTimeoutSeconds,
      },
    ],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    staticSummary: `Phase ${number}: ${title} (${run.environment})`,
    typedSearchAttributes: [
      { key: SEARCH_ATTRIBUTES.environment, value: run.environment },
      { key: SEARCH_ATTRIBUTES.phase, value: `${String(number).padStart(2, '0')} ${title}` },
      { key: SEARCH_ATTRIBUTES.plan, value: plan.digest },
    ],
  };
}

/** For each service of a phase, the other phases in which something waits for it. */
function tellsOf(plan: OperationPlan, phaseNumber: number): Record<string, number[]> {
  const waiting = (name: string): number[] =>
    plan.services
      .filter(
        (candidate) =>
          candidate.phase !== phaseNumber && !isNoop(candidate.action) && candidate.dependsOn.includes(name),
      )
      .map((candidate) => candidate.phase);
  return Object.fromEntries(
    plan.services
      .filter((service) => service.phase === phaseNumber)
      .map(({ name }) => [name, [...new Set(waiting(name))]]),
  );
}
