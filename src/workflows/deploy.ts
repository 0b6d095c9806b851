/** One deployment of the platform: whatever is missing or differs, until every service is healthy. */
import {
  isCancellation,
  ParentClosePolicy,
  ChildWorkflowCancellationType,
  executeChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { DeployInput, OperationResult, RunRef } from '../contract/deploy.ts';
import type { OperationPlan } from '../contract/plan.ts';
import type { RollbackInput } from '../contract/rollback.ts';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.ts';
import { GOOD_STATES } from '../contract/states.ts';
import { type DeploymentProgress, isNoop, outcomes } from '../plan/progress.ts';
import { namespaces, outside, reads, records, vault } from './activity-proxies.ts';
import { failureOf, resultOf } from './failure-of.ts';
import { runOperation } from './operation.ts';
import { rollback } from './rollback.ts';
import { versionOf } from './version.ts';

export function deploy(input: DeployInput): Promise<OperationResult> {
  const { selection, expectedDigest } = input;
  return runOperation({
    operation: 'deploy',
    input,
    plan: (run) =>
      reads.makePlan.executeWithOptions({ summary: 'Plan: what will be done to each service, and why' }, [
        { run, ...(selection ? { selection } : {}), ...(expectedDigest === undefined ? {} : { expectedDigest }) },
      ]),
    before: groundwork,
    after: async (run, plan, view) => {
      if (vaultMayHaveBeenRestarted(plan, view))
        await vault.openVault.executeWithOptions({ summary: 'Vault is still open' }, [run]);
      const failed = outcomes(view).some(({ state }) => state === 'failed');
      return failed && plan.onFailure === 'rollback'
        ? undo(
            input,
            run,
            outcomes(view)
              .filter(({ changed }) => changed)
              .map(({ name }) => name),
          )
        : {};
    },
    finish: async (run, result) => {
      if (result.outcome === 'failed') await announce(run, result);
      // Also of a failed one: what is there from now on can drift.
      const notes = result.planDigest === '' ? [] : await schedule(run);
      const told = notes.length > 0 ? { notes: [...(result.notes ?? []), ...notes] } : {};
      return { ...told, ...(await versionOf(run, input.requestedBy, { ...result, ...told })) };
    },
  });
}

async function groundwork(run: RunRef, plan: OperationPlan): Promise<Partial<OperationResult>> {
  if (plan.groundwork)
    await namespaces.ensureNamespaces.executeWithOptions({ summary: 'Namespaces of the platform' }, [run]);
  return {};
}

/** What this run changed goes back to what was there before; the lock stays with the deployment. */
async function undo(input: DeployInput, run: RunRef, changed: string[]): Promise<Partial<OperationResult>> {
  const args: RollbackInput = {
    environment: input.environment,
    clusterUid: input.clusterUid,
    requestedBy: input.requestedBy,
    pastNoReturn: false,
    undo: { run, changed },
    // Whoever confirmed the deployment has confirmed what its environment asks for after a failure.
    ...(input.confirmation ? { confirmation: { ...input.confirmation, operation: 'rollback' } } : {}),
  };
  try {
    const { outcome, services, notes } = await executeChild(rollback, {
      workflowId: `${workflowInfo().workflowId}/${run.runId.slice(0, 8)}/undo`,
      args: [args],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      staticSummary: `Take back what the failed deployment to ${input.environment} had changed`,
      typedSearchAttributes: [
        { key: SEARCH_ATTRIBUTES.environment, value: input.environment },
        { key: SEARCH_ATTRIBUTES.operation, value: 'rollback' },
      ],
    });
    return { undone: { outcome, services, ...(notes ? { notes } : {}) } };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const result = resultOf<OperationResult>(error);
    return {
      undone: {
        outcome: 'failed',
        services: result?.services ?? [],
        ...(result?.notes ? { notes: result.notes } : {}),
        failure: failureOf(error),
      },
    };
  }
}

/**
 * @returns a line where it could not be registered: a platform that nobody looks after should not be taken for one that
 * is
 */
async function schedule(run: RunRef): Promise<string[]> {
  try {
    await records.ensureDriftSchedule.executeWithOptions({ summary: 'Schedule of drift runs' }, [run]);
    return [];
  } catch (error) {
    return [
      `The schedule of drift runs could not be registered (${failureOf(error).message}): what it was before goes on, and the next deployment tries again.`,
    ];
  }
}

async function announce(run: RunRef, result: OperationResult): Promise<void> {
  const failed = result.services.filter(({ state }) => state === 'failed');
  const lines = [
    ...(result.failure ? [result.failure.message] : []),
    ...failed.map(({ name, failure }) => `${name}: ${failure?.message ?? 'failed'}`),
  ];
  await outside.notify
    .executeWithOptions({ summary: 'Tell of the failure' }, [
      { run, event: 'deploy-failed', title: `The deployment to ${run.environment} failed`, lines },
    ])
    .catch(() => undefined);
}

/** Something was done, so time has passed since Vault was opened; a restart would have left it sealed, unnoticed. */
function vaultMayHaveBeenRestarted(plan: OperationPlan, view: DeploymentProgress): boolean {
  const keeper = plan.services.find((service) => service.steps.some((step) => step.kind === 'vault-bootstrap'));
  return (
    keeper !== undefined &&
    GOOD_STATES.includes(view.services[keeper.name]?.state ?? 'waiting') &&
    plan.services.some((service) => !isNoop(service.action))
  );
}
