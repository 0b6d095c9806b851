/** How long services took in earlier runs of the same operation on the same environment. */
import type { OperationResult } from '../../contract/operations/deploy.ts';
import type { PlannedService } from '../../contract/operations/plan.ts';
import { GOOD_STATES } from '../../contract/operations/states.ts';

export interface PastRun {
  runId: string;
  /** By service: seconds from the moment it could start to its end. Only services that ended well. */
  services: Record<string, { seconds: number; changed: boolean }>;
}

/** The times of services in a run that has ended; services to which nothing was done have none. */
export function pastRunOf({ runId, services }: Pick<OperationResult, 'runId' | 'services'>): PastRun {
  const told = services.filter(
    ({ state, seconds }) => GOOD_STATES.includes(state) && state !== 'unchanged' && seconds > 0,
  );
  return {
    runId,
    services: Object.fromEntries(told.map(({ name, seconds, changed }) => [name, { seconds, changed }])),
  };
}

/**
 * Seconds of one service in one run; undefined where that run cannot be compared: what is installed or upgraded now was
 * only waited for then.
 */
export function secondsIn(run: PastRun, { name, action }: Pick<PlannedService, 'name' | 'action'>): number | undefined {
  const found = run.services[name];
  return found && (found.changed || action === 'verify') ? found.seconds : undefined;
}
