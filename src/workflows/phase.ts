/**
 * One phase: its services, each starting the moment all that it depends on is healthy, in whatever phase that is.
 * Phases tell each other what they have finished; the deployment hears of it too, and passes on what could not be told.
 */
import {
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
  ApplicationFailure,
  CancelledFailure,
  CancellationScope,
} from '@temporalio/workflow';
import type { PhaseInput, PhaseResult, ServiceOutcome, ServiceProgress } from '../contract/deploy.ts';
import { FAILURES } from '../contract/failures.ts';
import type { PlannedService } from '../contract/plan.ts';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.ts';
import { DEPENDENCY_FAILED, GOOD_STATES, STOPPED } from '../contract/states.ts';
import { isNoop, noopOutcome } from '../plan/progress.ts';
import { phaseWorkflowId } from '../contract/names.ts';
import { createDrain, type Drain } from './drain.ts';
import { dependencySettled, serviceProgress } from './messages.ts';
import { runService } from './service.ts';

export async function phase(input: PhaseInput): Promise<PhaseResult> {
  const settled = new Map<string, boolean>(input.settled.map((name) => [name, true]));
  const outcomes = new Map<string, ServiceOutcome>();
  const reports = new Set<Promise<unknown>>();
  setHandler(dependencySettled, ({ service, ok }) => {
    settled.set(service, ok);
  });
  const halt = createDrain();
  const parent = workflowInfo().parent;
  if (!parent)
    throw ApplicationFailure.nonRetryable('A phase runs only as the child of a deployment', FAILURES.invalidInput);
  const deployment = getExternalWorkflowHandle(parent.workflowId, parent.runId);

  const report = (event: ServiceProgress): void => {
    setCurrentDetails(details(input, outcomes, event));
    // Also after a cancellation: the deployment has to hear how each service ended.
    const sent = CancellationScope.nonCancellable(() => deployment.signal(serviceProgress, event)).catch(
      () => undefined,
    );
    reports.add(sent);
    void sent.then(() => reports.delete(sent));
  };

  /** @returns phases that could not be reached: not started yet, or already ended */
  const tell = async (service: string, ok: boolean): Promise<number[]> => {
    const told = (input.tells[service] ?? []).map(async (number) => {
      const target = getExternalWorkflowHandle(phaseWorkflowId(input.run.workflowId, input.run.runId, number));
      return CancellationScope.nonCancellable(() => target.signal(dependencySettled, { service, ok })).then(
        () => [],
        () => [number],
      );
    });
    return (await Promise.all(told)).flat();
  };

  const one = async (service: PlannedService): Promise<void> => {
    const known = noopOutcome(service);
    if (known) {
      outcomes.set(service.name, known);
      return;
    }
    const outcome = await startWhenReady(input, service, settled, halt, report);
    const ok = GOOD_STATES.includes(outcome.state);
    outcomes.set(service.name, outcome);
    settled.set(service.name, ok);
    const event = { service: service.name, state: outcome.state, at: Date.now(), outcome };
    report(event);
    const untold = await tell(service.name, ok);
    if (untold.length > 0) report({ ...event, untold });
  };
  await Promise.all(input.services.map(one));
  await condition(() => reports.size === 0);

  const services = input.services.flatMap((service) => outcomes.get(service.name) ?? []);
  const failed = services.filter((service) => service.state === 'failed');
  const cancelled = services.some((service) => service.state === 'cancelled');
  const result =
    failed.length > 0
      ? 'failed'
      : cancelled
        ? 'cancelled'
        : input.services.every((service) => isNoop(service.action))
          ? 'unchanged'
          : 'succeeded';
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.result, value: result }]);
  if (failed.length > 0) {
    const message = failed.map((service) => `${service.name}: ${service.failure?.message ?? 'failed'}`).join('\n');
    throw ApplicationFailure.nonRetryable(message, FAILURES.deployFailed);
  }
  // The engine counts as cancelled only what it was asked to cancel itself.
  if (cancelled && !CancellationScope.current().consideredCancelled)
    throw ApplicationFailure.nonRetryable(halt.reason() ?? 'The phase was interrupted', FAILURES.superseded);
  if (cancelled) throw new CancelledFailure('The phase was cancelled');
  return { phase: input.phase, services };
}

async function startWhenReady(
  input: PhaseInput,
  service: PlannedService,
  settled: ReadonlyMap<string, boolean>,
  halt: Drain,
  report: (event: ServiceProgress) => void,
): Promise<ServiceOutcome> {
  const base = { name: service.name, phase: service.phase, seconds: 0, changed: false };
  const lost = (): string | undefined => service.dependsOn.find((name) => settled.get(name) === false);
  try {
    await condition(
      () =>
        lost() !== undefined ||
        halt.reason() !== undefined ||
        service.dependsOn.every((name) => settled.get(name) === true),
    );
  } catch (error) {
    if (isCancellation(error)) return { ...base, state: 'cancelled' };
    throw error;
  }
  const missing = lost();
  if (missing !== undefined) {
    return {
      ...base,
      state: 'skipped',
      failure: {
        type: DEPENDENCY_FAILED,
        message:
          service.action === 'remove'
            ? `${missing}, which depends on it, could not be removed`
            : `${missing}, which it depends on, did not become healthy`,
      },
    };
  }
  const stopped = halt.reason();
  if (stopped !== undefined)
    return { ...base, state: 'skipped', failure: { type: STOPPED, message: `not started: ${stopped}` } };
  return runService(input, service, halt, report);
}

function details(input: PhaseInput, outcomes: ReadonlyMap<string, ServiceOutcome>, event: ServiceProgress): string {
  const rows = input.services.map((service) => {
    const outcome = outcomes.get(service.name);
    const state = service.name === event.service ? event.state : (outcome?.state ?? 'waiting');
    return `| ${service.name} | ${state} | ${outcome ? outcome.seconds.toFixed(1) : ''} | ${service.reason} |`;
  });
  return [
    `Phase ${input.phase}: **${input.title}**, environment ${input.run.environment}`,
    '',
    '| Service | State | Seconds | Why |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}
