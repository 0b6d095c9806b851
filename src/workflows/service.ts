/** One service: its steps in order. */
import { ApplicationFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import type { PhaseInput, ServiceFailure, ServiceOutcome, ServiceProgress, ServiceState } from '../contract/deploy.ts';
import type { PlannedService } from '../contract/plan.ts';
import { serviceSteps } from '../plan/steps/services.ts';
import { reads } from './activity-proxies.ts';
import { failureOf } from './failure-of.ts';
import type { Drain } from './drain.ts';
import type { ServiceView } from './steps/call.ts';
import { carryOut } from './steps/table.ts';

/** A workflow of the version before has started the phase, and has told it no steps. */
const EARLIER = { earlier: true };

export async function runService(
  input: PhaseInput,
  service: PlannedService,
  drain: Drain,
  report: (event: ServiceProgress) => void,
): Promise<ServiceOutcome> {
  const started = Date.now();
  let changed = false;
  const notes: string[] = [];
  const note = (state: ServiceState, detail: string): void => {
    report({ service: service.name, state, at: Date.now(), detail });
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
    const at: ServiceView = { service, helmTimeoutSeconds: input.helmTimeoutSeconds, drain, note };
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
    const failure = failureOf(error);
    return outcome('failed', { ...failure, ...(await evidence(input, service, failure)) });
  }
}

/** Collected before anything else happens to the pods. A failure to collect never hides the failure itself. */
async function evidence(
  input: PhaseInput,
  service: PlannedService,
  failure: ServiceFailure,
): Promise<Pick<ServiceFailure, 'evidence' | 'summary'>> {
  try {
    return await CancellationScope.withTimeout(60_000, () =>
      reads.collectEvidence.executeWithOptions({ summary: `Evidence of ${service.name}` }, [
        { run: input.run, service, reason: failure.message },
      ]),
    );
  } catch (error) {
    const reason = error instanceof ApplicationFailure ? error.message : failureOf(error).message;
    return { summary: [`No evidence could be collected: ${reason}`] };
  }
}
