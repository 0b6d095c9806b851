/**
 * One phase: its services, each starting the moment all that it depends on is healthy, in whatever phase that is, and
 * each with its steps in order. Phases tell each other what they have finished; the operation hears of it too, and
 * passes on what could not be told.
 */
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { PhaseInput, PhaseResult, ServiceFailure, ServiceOutcome, ServiceProgress } from '../contract/deploy.ts';
import { FAILURES } from '../contract/failures.ts';
import type { PlannedService } from '../contract/plan.ts';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.ts';
import { DEPENDENCY_FAILED, GOOD_STATES, STOPPED } from '../contract/states.ts';
import { phaseDetails } from '../plan/details.ts';
import { isNoop, noopOutcome } from '../plan/progress.ts';
import { serviceSteps } from '../plan/steps/services.ts';
import { createDrain, type Drain } from './drain.ts';
import { withEvidence } from './evidence.ts';
import { failureOf } from './failure-of.ts';
import { dependencySettled } from './messages.ts';
import { measureService } from './metrics.ts';
import { reportsOf } from './reports.ts';
import { beginService } from './spans.ts';
import type { ServiceView } from './steps/call.ts';
import { carryOut } from './steps/table.ts';

/** A workflow of the version before has started the phase, and has told it no steps. */
const EARLIER = { earlier: true };

export async function phase(input: PhaseInput): Promise<PhaseResult> {
  const settled = new Map<string, boolean>(input.settled.map((name) => [name, true]));
  const outcomes = new Map<string, ServiceOutcome>();
  setHandler(dependencySettled, ({ service, ok }) => {
    settled.set(service, ok);
  });
  const drain = createDrain();
  const reports = reportsOf(input);
  const report = (event: ServiceProgress): void => {
    setCurrentDetails(phaseDetails(input, outcomes, event));
    reports.report(event);
  };

  const one = async (service: PlannedService): Promise<void> => {
    const known = noopOutcome(service);
    if (known) {
      outcomes.set(service.name, known);
      return;
    }
    const began = Date.now();
    const span = beginService(service);
    const unstarted = await notStarted(service, settled, drain);
    span.started();
    const outcome = unstarted ?? (await span.within(() => runService(input, service, drain, report)));
    span.ended(outcome);
    measureService(input.run, outcome, (Date.now() - began) / 1000 - outcome.seconds);
    const ok = GOOD_STATES.includes(outcome.state);
    outcomes.set(service.name, outcome);
    settled.set(service.name, ok);
    const event = { service: service.name, state: outcome.state, at: Date.now(), outcome };
    report(event);
    const untold = await reports.tell(service.name, ok);
    if (untold.length > 0) report({ ...event, untold });
  };
  await Promise.all(input.services.map(one));
  await reports.delivered();

  const services = input.services.flatMap((service) => outcomes.get(service.name) ?? []);
  const failed = services.filter((service) => service.state === 'failed');
  const cancelled = services.some((service) => service.state === 'cancelled');
  const idle = input.services.every((service) => isNoop(service.action));
  const result = failed.length > 0 ? 'failed' : cancelled ? 'cancelled' : idle ? 'unchanged' : 'succeeded';
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.result, value: result }]);
  if (failed.length > 0) {
    const message = failed.map((service) => `${service.name}: ${service.failure?.message ?? 'failed'}`).join('\n');
    throw ApplicationFailure.nonRetryable(message, FAILURES.deployFailed);
  }
  // The engine counts as cancelled only what it was asked to cancel itself.
  if (cancelled && !CancellationScope.current().consideredCancelled)
    throw ApplicationFailure.nonRetryable(drain.reason() ?? 'The phase was interrupted', FAILURES.superseded);
  if (cancelled) throw new CancelledFailure('The phase was cancelled');
  return { phase: input.phase, services };
}

/**
 * Waits until the service may start.
 * @returns undefined then; its outcome where it is not started at all
 */
async function notStarted(
  service: PlannedService,
  settled: ReadonlyMap<string, boolean>,
  drain: Drain,
): Promise<ServiceOutcome | undefined> {
  const base = { name: service.name, phase: service.phase, seconds: 0, changed: false };
  const skipped = (type: string, message: string): ServiceOutcome => ({
    ...base,
    state: 'skipped',
    failure: { type, message },
  });
  const lost = (): string | undefined => service.dependsOn.find((name) => settled.get(name) === false);
  const ready = (): boolean => service.dependsOn.every((name) => settled.get(name) === true);
  try {
    await condition(() => lost() !== undefined || drain.reason() !== undefined || ready());
  } catch (error) {
    if (isCancellation(error)) return { ...base, state: 'cancelled' };
    throw error;
  }
  const missing = lost();
  if (missing !== undefined)
    return skipped(
      DEPENDENCY_FAILED,
      service.action === 'remove'
        ? `${missing}, which depends on it, could not be removed`
        : `${missing}, which it depends on, did not become healthy`,
    );
  const stopped = drain.reason();
  return stopped === undefined ? undefined : skipped(STOPPED, `not started: ${stopped}`);
}

/** Its steps in order. */
async function runService(
  input: PhaseInput,
  service: PlannedService,
  drain: Drain,
  report: (event: ServiceProgress) => void,
): Promise<ServiceOutcome> {
  const started = Date.now();
  let changed = false;
  const notes: string[] = [];
  const at: ServiceView = {
    service,
    helmTimeoutSeconds: input.helmTimeoutSeconds,
    drain,
    note: (state, detail) => {
      report({ service: service.name, state, at: Date.now(), detail });
    },
  };
  const outcome = (state: ServiceOutcome['state'], failure?: ServiceFailure): ServiceOutcome => ({
    name: service.name,
    phase: service.phase,
    state,
    seconds: (Date.now() - started) / 1000,
    changed,
    ...(failure ? { failure } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  });
  try {
    const steps = input.steps?.filter((step) => step.service === service.name) ?? serviceSteps(service, EARLIER);
    for (const step of steps) {
      drain.checkpoint();
      const end = await carryOut({ run: input.run, step, at });
      // What is interrupted afterwards has changed it all the same.
      if (end.changed) changed = true;
      notes.push(...(end.notes ?? []));
    }
    if (service.action === 'remove') return outcome('removed');
    return outcome(service.steps.every((step) => step.job) ? 'completed' : 'healthy');
  } catch (error) {
    if (isCancellation(error)) return outcome('cancelled');
    return outcome('failed', await withEvidence(input, service, failureOf(error)));
  }
}
