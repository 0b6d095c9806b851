/** Brings back what has drifted, through the deployment's own activities; what is right is left untouched. */
import type { OperationResult } from '../contract/deploy.ts';
import type { RepairInput } from '../contract/repair.ts';
import { reads } from './activity-proxies.ts';
import { runOperation } from './operation.ts';

export function repair(input: RepairInput): Promise<OperationResult> {
  const { findings } = input;
  return runOperation({
    operation: 'repair',
    input,
    intent: { verb: 'repair', findings },
    plan: (run) =>
      reads.planRepair.executeWithOptions({ summary: 'Plan: what has drifted, and what brings it back' }, [
        { run, findings },
      ]),
  });
}
