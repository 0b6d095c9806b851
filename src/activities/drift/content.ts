import type { Clients } from '../../clients/index.ts';
import type { DriftFinding } from '../../contract/drift.ts';

export function findContentDrift(_clients: Clients, _signal: AbortSignal): Promise<{ findings: DriftFinding[]; simulated: string }> {
  return Promise.resolve({ findings: [], simulated: '' });
}
