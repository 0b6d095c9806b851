/** One service: its releases in order, each applied and then awaited. */
import { ApplicationFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import type { PhaseInput, ServiceFailure, ServiceOutcome, ServiceProgress, ServiceState } from '../contract/deploy.ts';
import type { PlannedService, PlannedStep } from '../contract/plan.ts';
import { helm, reads, removals, vault, waits } from './activity-proxies.ts';
import { isNoop } from '../plan/progress.ts';
import { failureOf } from './failure-of.ts';
import type { Drain } from './drain.ts';

export async function runService(
  input: PhaseInput,
  service: PlannedService,
  halt: Drain,
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
    for (const step of service.steps) {
      if (isNoop(step.action)) continue;
      halt.checkpoint();
      await runStep(input, service, step, halt, note, (putBack = []) => {
        changed = true;
        notes.push(...putBack.map((field) => `put back: ${field}`));
      });
    }
    if (service.action === 'remove') return outcome('removed');
    return outcome(service.steps.every((step) => step.job) ? 'completed' : 'healthy');
  } catch (error) {
    if (isCancellation(error)) return outcome('cancelled');
    const failure = failureOf(error);
    return outcome('failed', { ...failure, ...(await evidence(input, service, failure)) });
  }
}

/**
 * @param changed called once something was changed in the cluster: what is interrupted afterwards has changed it all
 * the same
 */
async function runStep(
  input: PhaseInput,
  service: PlannedService,
  step: PlannedStep,
  halt: Drain,
  note: (state: ServiceState, detail: string) => void,
  changed: (putBack?: readonly string[]) => void,
): Promise<void> {
  if (step.action === 'remove') {
    if (await removeRelease(input, service, step, note)) changed();
    return;
  }
  if (step.kind === 'vault-bootstrap') {
    if (await bootstrapVault(input, note)) changed();
    return;
  }
  if (step.action !== 'verify') {
    note('applying', `${step.name}: ${step.reason}`);
    const applied = await helm(input.helmTimeoutSeconds).applyRelease.executeWithOptions(
      { summary: `Helm ${step.action} ${step.name}: ${step.reason}` },
      [{ run: input.run, service: service.name, step, priority: service.remainingSeconds }],
    );
    if (applied.changed) changed(applied.putBack);
  }
  note('starting', step.job ? `waits for Job ${step.name}` : `waits for ${step.name} to be healthy`);
  await halt.waiting(() =>
    waits(service.healthTimeoutSeconds).awaitHealthy.executeWithOptions({ summary: `Health of ${step.name}` }, [
      { run: input.run, service: service.name, step, timeoutSeconds: service.healthTimeoutSeconds },
    ]),
  );
}

async function removeRelease(
  input: PhaseInput,
  service: PlannedService,
  step: PlannedStep,
  note: (state: ServiceState, detail: string) => void,
): Promise<boolean> {
  note('removing', `${step.name}: ${step.reason}`);
  const { removed } = await removals(input.helmTimeoutSeconds).removeRelease.executeWithOptions(
    { summary: `Uninstall ${step.name}` },
    [{ run: input.run, service: service.name, step, priority: service.remainingSeconds }],
  );
  return removed;
}

async function bootstrapVault(
  input: PhaseInput,
  note: (state: ServiceState, detail: string) => void,
): Promise<boolean> {
  note('starting', 'opens, configures and seeds Vault');
  const opened = await vault.openVault.executeWithOptions({ summary: 'Initialise and unseal Vault' }, [input.run]);
  const configured = await vault.configureVault.executeWithOptions(
    { summary: 'KV v2, Kubernetes auth, policies and roles' },
    [input.run],
  );
  const seeded = await vault.seedVault.executeWithOptions({ summary: 'Write the secrets that are missing' }, [
    input.run,
  ]);
  const synced = await vault.syncSecrets.executeWithOptions({ summary: 'Make Kubernetes Secrets from Vault' }, [
    input.run,
  ]);
  return opened.initialized || configured.changed.length + seeded.written.length + synced.written.length > 0;
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
