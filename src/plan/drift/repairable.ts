import type { DriftFinding } from '../../contract/drift.ts';

/**
 * Whether a repair touches it: somebody has looked, something can be done, and it does not come back after each repair.
 */
export function isRepairable({ key, kind, repair }: DriftFinding, flapping: readonly string[]): boolean {
  return repair !== undefined && kind !== 'not-observable' && !flapping.includes(key);
}
