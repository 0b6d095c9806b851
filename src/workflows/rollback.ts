/** Back to an earlier platform version, dependents first; or what a failed deployment changed is taken back. */
import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { OperationResult, RunRef } from '../contract/deploy.ts';
import type { OperationPlan } from '../contract/plan.ts';
import type { RollbackInput } from '../contract/rollback.ts';
import { reads, vault } from './activity-proxies.ts';
import { runOperation } from './operation.ts';
import { versionOf } from './version.ts';

const EVIDENCE_MILLISECONDS = 60_000;

export function rollback(input: RollbackInput): Promise<OperationResult> {
  const { toVersion, pastNoReturn, undo, expectedDigest } = input;
  /** For activities an undo is part of the deployment that it takes back: the lock is that one's. */
  const runOf = (run: RunRef): RunRef =>
    undo ? { ...run, workflowId: undo.run.workflowId, runId: undo.run.runId } : run;
  return runOperation({
    operation: 'rollback',
    input,
    ...(undo ? { undoes: undo.run.runId } : {}),
    plan: (run) =>
      undo
        ? reads.planUndo.executeWithOptions({ summary: 'Plan: what this run changed, and what was there before' }, [
            { run: undo.run, changed: undo.changed },
          ])
        : reads.planRollback.executeWithOptions({ summary: 'Plan: what leads back' }, [
            {
              run,
              pastNoReturn,
              ...(toVersion === undefined ? {} : { toVersion }),
              ...(expectedDigest === undefined ? {} : { expectedDigest }),
            },
          ]),
    before: evidenceFirst,
    after: async (run) => {
      await vault.openVault.executeWithOptions({ summary: 'Vault is still open' }, [runOf(run)]);
      return {};
    },
    finish: async (run, result) => (undo ? {} : versionOf(run, input.requestedBy, result)),
  });
}

/**
 * A rollback takes pods away with all that they could tell. What cannot be collected does not keep a broken platform
 * broken.
 */
async function evidenceFirst(run: RunRef, plan: OperationPlan): Promise<Partial<OperationResult>> {
  const collected = await Promise.all(
    (plan.unhealthy ?? []).map(async ({ service: name, reason }) => {
      const service = plan.services.find((candidate) => candidate.name === name);
      if (service === undefined) return [];
      try {
        const { evidence } = await CancellationScope.withTimeout(EVIDENCE_MILLISECONDS, () =>
          reads.collectEvidence.executeWithOptions({ summary: `Evidence of ${name}, before it is touched` }, [
            { run, service, reason, before: true },
          ]),
        );
        return evidence === undefined ? [] : [{ service: name, file: evidence }];
      } catch (error) {
        if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
        return [];
      }
    }),
  );
  return collected.flat().length > 0 ? { evidence: collected.flat() } : {};
}
