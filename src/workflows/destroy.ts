/** Takes the platform down, dependents first. Data stays unless it was asked for in words. */
import type { OperationResult } from '../contract/deploy.ts';
import type { DestroyInput } from '../contract/destroy.ts';
import { reads } from './activity-proxies.ts';
import { runOperation } from './operation.ts';

export function destroy(input: DestroyInput): Promise<OperationResult> {
  const { deleteData, expectedDigest } = input;
  return runOperation({
    operation: 'destroy',
    input,
    intent: { verb: 'destroy', deleteData },
    plan: (run) =>
      reads.planDestroy.executeWithOptions({ summary: 'Plan: what has to be removed' }, [
        { run, deleteData, ...(expectedDigest === undefined ? {} : { expectedDigest }) },
      ]),
  });
}
