/** What workflows measure, by the SDK's meter, which is silent while a history is replayed: nothing counts twice. */
import { metricMeter } from '@temporalio/workflow';
import type { OperationResult, OperationWait, RunRef, ServiceOutcome } from '../contract/operations/deploy.ts';
import { DRIFT_KINDS, type DriftResult } from '../contract/drift.ts';
import { metricsOf } from '../contract/metrics.ts';

const metrics = metricsOf(metricMeter);

const DECISIONS = ['approve', 'reject', 'override-freeze'];

export function measureOperation({ operation, outcome, seconds, version, acts = [] }: OperationResult): void {
  metrics.count('ananta_operations_total', { operation, outcome });
  metrics.record('ananta_operation_duration_seconds', seconds, { operation, outcome });
  metrics.set('ananta_operation_last_timestamp_seconds', Date.now() / 1000, { operation, outcome });
  for (const { act: decision } of acts)
    if (DECISIONS.includes(decision)) metrics.count('ananta_decisions_total', { operation, decision });
  if (version === undefined) return;
  metrics.set('ananta_platform_version', version, {});
  metrics.set('ananta_platform_version_timestamp_seconds', Date.now() / 1000, {});
}

/** Of one step of admission, from when it began to wait. */
export function measureAdmission(
  { operation = 'deploy' }: Pick<RunRef, 'operation'>,
  { gate, since }: Pick<OperationWait, 'gate' | 'since'>,
): void {
  const seconds = (Date.now() - Date.parse(since)) / 1000;
  metrics.record('ananta_admission_wait_seconds', seconds, { operation, for: gate ? 'approvals' : 'freeze' });
}

/** @param waitedSeconds from the start of its phase until all that it depends on was healthy */
export function measureService(
  { operation = 'deploy' }: Pick<RunRef, 'operation'>,
  { name: service, state, seconds }: ServiceOutcome,
  waitedSeconds: number,
): void {
  metrics.record('ananta_service_wait_seconds', waitedSeconds, { service, operation, for: 'dependencies' });
  if (state === 'skipped') return;
  metrics.record('ananta_service_duration_seconds', seconds, { service, operation, state });
}

/** Also of a wait that fails: its duration matters then, too. */
export async function measuredHealth(
  { operation = 'deploy' }: Pick<RunRef, 'operation'>,
  service: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const began = Date.now();
  try {
    await work();
  } finally {
    const seconds = (Date.now() - began) / 1000;
    metrics.record('ananta_service_wait_seconds', seconds, { service, operation, for: 'health' });
  }
}

export function measureDrift({ outcome, report, repaired, flapping, remaining }: DriftResult): void {
  metrics.count('ananta_drift_runs_total', { outcome });
  if (repaired.length > 0) metrics.count('ananta_drift_repairs_total', {}, repaired.length);
  // One that was skipped or failed has seen nothing that could be said of the cluster.
  if (report === undefined) return;
  const left = remaining ?? report.findings;
  for (const kind of DRIFT_KINDS)
    metrics.set('ananta_drift_findings', left.filter((finding) => finding.kind === kind).length, { kind });
  metrics.set('ananta_drift_flapping', flapping.length, {});
  metrics.set('ananta_drift_last_run_timestamp_seconds', Date.now() / 1000, {});
}
