/** Back to an earlier platform version, dependents first; or what a failed deployment changed is taken back. */
import type { OperationResult } from '../contract/deploy.ts';
import type { RollbackInput } from '../contract/rollback.ts';
import { reads } from './activity-proxies.ts';
import { runOperation } from './operation.ts';

export function rollback(input: RollbackInput): Promise<OperationResult> {
  const { toVersion, pastNoReturn, undo, expectedDigest } = input;
  if (undo)
    return runOperation({
      operation: 'rollback',
      input,
      intent: { verb: 'undo' },
      undoes: undo.run.runId,
      plan: () =>
        reads.planUndo.executeWithOptions({ summary: 'Plan: what this run changed, and what was there before' }, [
          { run: undo.run, changed: undo.changed },
        ]),
    });
  return runOperation({
    operation: 'rollback',
    input,
    intent: { verb: 'rollback' },
    plan: (run) =>
      reads.planRollback.executeWithOptions({ summary: 'Plan: what leads back' }, [
        {
          run,
          pastNoReturn,
          ...(toVersion === undefined ? {} : { toVersion }),
          ...(expectedDigest === undefined ? {} : { expectedDigest }),
        },
      ]),
  });
}
