/**
 * Counters of rare events begin at zero with the worker: Prometheus sees an increase only in what it has seen before,
 * and the first failure of a worker would be no increase of anything.
 */
import type { MetricMeter } from '@temporalio/common';
import { OPERATION_OUTCOMES } from '../contract/operations/deploy.ts';
import { DRIFT_OUTCOMES } from '../contract/drift-state.ts';
import { metricsOf } from '../contract/metrics.ts';
import { WORKFLOW_TYPES } from '../contract/names.ts';
import { OPERATIONS } from '../contract/operations/plan.ts';

/** With the labels that the SDK adds where a workflow counts: the same series. */
export function beginAtZero(
  meter: MetricMeter,
  { namespace, taskQueue }: { namespace: string; taskQueue: string },
): void {
  const of = (workflowType: string): ReturnType<typeof metricsOf> =>
    metricsOf(meter.withTags({ namespace, taskQueue, workflowType }));
  for (const operation of OPERATIONS) {
    const metrics = of(WORKFLOW_TYPES[operation]);
    for (const outcome of OPERATION_OUTCOMES) metrics.count('ananta_operations_total', { operation, outcome }, 0);
  }
  const drift = of(WORKFLOW_TYPES.drift);
  for (const outcome of DRIFT_OUTCOMES) drift.count('ananta_drift_runs_total', { outcome }, 0);
  drift.count('ananta_drift_repairs_total', {}, 0);
}
