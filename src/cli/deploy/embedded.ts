import type { Environment } from '../../environment/schema.ts';

/** Whether any part of the environment runs on this machine by our doing. */
export function hasEmbeddedParts(environment: Pick<Environment, 'cluster' | 'engine'>): boolean {
  return 'embedded' in environment.cluster || 'kind' in environment.cluster || 'embedded' in environment.engine;
}
