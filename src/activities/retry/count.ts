/** Failed attempts as metrics: by activity and class, both from fixed lists. */
import type { Metrics } from '../../contract/metrics.ts';
import type { GuardOptions } from './guard.ts';

export function countFailures(metrics: Pick<Metrics, 'count'>): NonNullable<GuardOptions['onFailure']> {
  return (activity, type, final) => {
    metrics.count(final ? 'ananta_failures_total' : 'ananta_retries_total', { activity, class: type });
  };
}
