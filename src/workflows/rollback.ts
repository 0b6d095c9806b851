/** Back to an earlier platform version, dependents first; or what a failed deployment changed is taken back. */
import type { DeployResult, RunRef } from '../contract/deploy.ts';
import type { RollbackInput } from '../contract/rollback.ts';
import { ground, reads, vault } from './activity-proxies.ts';
import { runOperation } from './operation.ts';

export function rollback(input: RollbackInput): Promise<DeployResult> {
  const { toVersion, pastNoReturn, undo } = input;
  /** For activities an undo is part of the deployment that it takes back: the lock is that one's. */
  const runOf = (run: RunRef): RunRef => (undo ? { ...run, workflowId: undo.run.workflowId, runId: undo.run.runId } : run);
  return runOperation({
    operation: 'rollback',
    input,
    plan: (run) => (undo
      ? reads.planUndo.executeWithOptions({ summary: 'Plan: what this run changed, and what was there before' }, [{ run: undo.run, changed: undo.changed }])
      : reads.planRollback.executeWithOptions({ summary: 'Plan: what leads back' }, [{ run, pastNoReturn, ...(toVersion === undefined ? {} : { toVersion }) }])),
    after: async (run) => {
      await vault.openVault.executeWithOptions({ summary: 'Vault is still open' }, [runOf(run)]);
      return {};
    },
    finish: async (run, result) => {
      if (undo || result.outcome !== 'succeeded') return {};
      const { seconds, services, planDigest } = result;
      return ground.recordVersion.executeWithOptions({ summary: 'Platform version' },
        [{ run, operation: 'rollback', requestedBy: input.requestedBy, planDigest, seconds, services, ...(result.toVersion === undefined ? {} : { restores: result.toVersion }) }]);
    },
  });
}
