/**
 * One phase: its services, each starting the moment all that it depends on is healthy, in whatever phase that is, and
 * each with its steps in order. Phases signal each other what they have finished; the operation gets it, too, and
 * passes on what could not be delivered.
 */
import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type {
  DependencySettled,
  PhaseInput,
  PhaseResult,
  ServiceFailure,
  ServiceOutcome,
  ServiceProgress,
} from '../contract/operations/deploy.ts';
import { FAILURES } from '../contract/failures.ts';
import type { PlannedService } from '../contract/operations/plan.ts';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.ts';
import { DEPENDENCY_FAILED, STOPPED } from '../contract/operations/states.ts';
import { phaseDetails } from '../plan/details.ts';
import { isNoop, noopOutcome, settledBy } from '../plan/progress.ts';
import { lostText } from '../plan/steering/rest.ts';
import { serviceSteps } from '../plan/steps/services.ts';
import { createDrain, type Drain } from './ending/drain.ts';
import { withEvidence } from './evidence.ts';
import { failureOf } from './failure-of.ts';
import { dependencySettled } from './messages.ts';
import { measureService } from './metrics.ts';
import { reportsOf } from './reports.ts';
import { beginService } from './spans.ts';
import type { ServiceView } from './steps/call.ts';
import { carryOut } from './steps/table.ts';
import { phaseSteers, progressOf, type ServiceSteering, type Settled, skippedBy } from './steering/phase.ts';

/** A workflow of the version before has started the phase, and has given it no steps. */
const EARLIER = { earlier: true };

export async function phase(input: PhaseInput): Promise<PhaseResult> {
  const settled = new Map<string, 'good' | 'lost' | 'skipped'>(input.settled.map((name) => [name, 'good']));
  const outcomes = new Map<string, ServiceOutcome>();
  const settle = ({ service, ok, skipped }: DependencySettled): void => {
    settled.set(service, ok ? 'good' : skipped ? 'skipped' : 'lost');
  };
  setHandler(dependencySettled, settle);
  const drain = createDrain();
  const steers = phaseSteers(input, drain);
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
    for (let attempt = 0; ; attempt += 1) {
      const began = Date.now();
      const span = beginService(service);
      const unstarted = steers
        ? await steers.turnOf(service, settled, report, attempt)
        : await awaitTurn(service, settled, drain);
      span.started();
      const steering = steers?.of(service.name, attempt);
      const outcome = unstarted ?? (await span.within(() => runService(input, { service, drain, report, steering })));
      span.ended(outcome);
      measureService(input.run, outcome, (Date.now() - began) / 1000 - outcome.seconds);
      await ended(service.name, outcome, attempt);
      if (outcome.state !== 'failed' || !steers) return;
      const word = await steers.afterFailure(service.name, attempt);
      if (word === 'skip') {
        const words = steering?.skipped() ?? '';
        await ended(service.name, { ...outcome, ...skippedBy(words) }, attempt);
      }
      if (word !== 'retry') return;
      outcomes.delete(service.name);
    }
  };
  const ended = async (service: string, outcome: ServiceOutcome, attempt: number): Promise<void> => {
    outcomes.set(service, outcome);
    const end = settledBy(service, outcome);
    settle(end);
    const event = { ...progressOf(service, attempt), state: outcome.state, outcome };
    report(event);
    const untold = await reports.tell(end);
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
 * Waits until the service may start, in a phase that an operation of an earlier version has started.
 * @returns undefined then; its outcome where it is not started at all
 */
async function awaitTurn(service: PlannedService, settled: Settled, drain: Drain): Promise<ServiceOutcome | undefined> {
  const base = { name: service.name, phase: service.phase, seconds: 0, changed: false };
  const skipped = (type: string, message: string): ServiceOutcome => ({
    ...base,
    state: 'skipped',
    failure: { type, message },
  });
  const lost = (): string | undefined => service.dependsOn.find((name) => (settled.get(name) ?? 'good') !== 'good');
  const ready = (): boolean => service.dependsOn.every((name) => settled.get(name) === 'good');
  try {
    await condition(() => lost() !== undefined || drain.reason() !== undefined || ready());
  } catch (error) {
    if (isCancellation(error)) return { ...base, state: 'cancelled' };
    throw error;
  }
  const missing = lost();
  if (missing !== undefined) return skipped(DEPENDENCY_FAILED, lostText(service, missing, false));
  const stopped = drain.reason();
  return stopped === undefined ? undefined : skipped(STOPPED, `not started: ${stopped}`);
}

interface Turn {
  service: PlannedService;
  drain: Drain;
  report: (event: ServiceProgress) => void;
  /** Absent in a phase that an operation of an earlier version has started. */
  steering: ServiceSteering | undefined;
}

/** Its steps in order. */
async function runService(input: PhaseInput, { service, drain, report, steering }: Turn): Promise<ServiceOutcome> {
  const started = Date.now();
  let changed = false;
  const notes: string[] = [];
  const at: ServiceView = {
    service,
    helmTimeoutSeconds: input.helmTimeoutSeconds,
    drain: steering?.drain ?? drain,
    ...(steering ? { steering } : {}),
    note: (state, detail) => {
      report({ ...progressOf(service.name, steering?.attempt ?? 0), state, detail });
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
  const skippedOutcome = (words: string): ServiceOutcome => ({ ...outcome('skipped'), ...skippedBy(words) });
  try {
    const steps = input.steps?.filter((step) => step.service === service.name) ?? serviceSteps(service, EARLIER);
    for (const [index, step] of steps.entries()) {
      // No stop between the deletion of a StatefulSet and the upgrade that creates it again: its pods have no
      // controller meanwhile.
      if (steps[index - 1]?.kind !== 'statefulset-replace') {
        drain.checkpoint();
        // Verifying changes nothing, so it goes on while the operation is paused.
        if (steering && step.kind !== 'verify') await steering.safePoint();
        const words = steering?.skipped();
        if (words !== undefined) return skippedOutcome(words);
      }
      const end = await carryOut({ run: input.run, step, at });
      // Stays true when a later step is interrupted.
      if (end.changed) changed = true;
      notes.push(...(end.notes ?? []));
    }
    // It became healthy in the very moment in which it was skipped. The request was already confirmed, so it counts as
    // skipped.
    const words = steering?.skipped();
    if (words !== undefined && patched('skipped-after-its-last-step')) return skippedOutcome(words);
    if (service.action === 'remove') return outcome('removed');
    return outcome(service.steps.every((step) => step.job) ? 'completed' : 'healthy');
  } catch (error) {
    const words = steering?.skipped();
    if (words !== undefined && !drain.yields() && !CancellationScope.current().consideredCancelled)
      return skippedOutcome(words);
    if (isCancellation(error)) return outcome('cancelled');
    return outcome('failed', await withEvidence(input, service, failureOf(error)));
  }
}
