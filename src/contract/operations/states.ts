/** States of a service during a deployment, in the order in which they are passed. */
export const SERVICE_STATES = [
  /** Its dependencies are not healthy yet. */
  'waiting',
  /** Helm is at work, or about to be. */
  'applying',
  /** Applied; its pods, then its health check, are awaited. */
  'starting',
  /** It is being uninstalled. */
  'removing',
  'healthy',
  'completed',
  'unchanged',
  'removed',
  'failed',
  'skipped',
  'cancelled',
] as const;

export const FINAL_STATES: readonly string[] = [
  'healthy',
  'completed',
  'unchanged',
  'removed',
  'failed',
  'skipped',
  'cancelled',
];
/** States that let dependents start. */
export const GOOD_STATES: readonly string[] = ['healthy', 'completed', 'unchanged', 'removed'];

/** @param outcome of an operation: it is done, or there was nothing to do */
export function isSuccess(outcome: string | undefined): boolean {
  return outcome === 'succeeded' || outcome === 'unchanged';
}

/** Why a service was skipped, as the type of its failure; one that was not selected has none. */
export const DEPENDENCY_FAILED = 'DependencyFailed';
export const STOPPED = 'Stopped';
/** A person has said so while the operation was running. */
export const SKIPPED_BY_REQUEST = 'SkippedByRequest';
/** What it depends on was skipped so, and it cannot do without. */
export const DEPENDENCY_SKIPPED = 'DependencySkipped';
