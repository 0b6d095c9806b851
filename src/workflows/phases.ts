/**
 * The phases of one operation as its children: all started at once, told what they wait for, asked to stop, waited for
 * to the last.
 */
import {
  ChildWorkflowCancellationType,
  type ChildWorkflowHandle,
  ParentClosePolicy,
  startChild,
} from '@temporalio/workflow';
import type { DependencySettled, RunRef } from '../contract/deploy.ts';
import type { StopPhase } from '../contract/lock.ts';
import { phaseWorkflowId } from '../contract/names.ts';
import type { OperationPlan } from '../contract/plan.ts';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.ts';
import { isNoop } from '../plan/progress.ts';
import { dependencySettled, stopPhase } from './messages.ts';
import { phase } from './phase.ts';

export interface Phases {
  /**
   * Waits until the last one has ended, also when they are cancelled: none may work on under a lock that is free.
   * @returns their errors
   */
  run(plan: OperationPlan): Promise<Error[]>;
  /** Phases tell each other; only what one could not tell, because the other had not started yet, is passed on here. */
  tell(settled: DependencySettled, phases: readonly number[]): void;
  /** Nothing further starts. To yield is more than to finish, and is not taken back. */
  stop(request: StopPhase): void;
}

export function createPhases(run: RunRef): Phases {
  const children = new Map<number, ChildWorkflowHandle<typeof phase>>();
  const early: { settled: DependencySettled; number: number }[] = [];
  let stopping: StopPhase | undefined;
  // A phase that has already ended no longer needs to know.
  const ignore = (): void => undefined;

  const one = async (
    plan: OperationPlan,
    settled: string[],
    { number, title }: OperationPlan['phases'][number],
  ): Promise<void> => {
    const child = await startChild(phase, {
      workflowId: phaseWorkflowId(run.workflowId, run.runId, number),
      args: [
        {
          run,
          phase: number,
          title,
          services: plan.services.filter((service) => service.phase === number),
          ...(plan.steps ? { steps: plan.steps.filter((step) => step.phase === number) } : {}),
          settled,
          tells: tellsOf(plan, number),
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
    });
    children.set(number, child);
    if (stopping) void child.signal(stopPhase, stopping).catch(ignore);
    for (const { settled: told } of early.filter((waiting) => waiting.number === number))
      void child.signal(dependencySettled, told).catch(ignore);
    await child.result();
  };

  return {
    async run(plan) {
      const settled = plan.services.filter((service) => isNoop(service.action)).map((service) => service.name);
      const ended = await Promise.allSettled(plan.phases.map((planned) => one(plan, settled, planned)));
      return ended.flatMap((end) => (end.status === 'rejected' ? [end.reason as Error] : []));
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
