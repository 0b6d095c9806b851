/** One environment of a ring: deployed, looked at, taken back, each by its own workers. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  type ChildWorkflowHandle,
  executeChild,
  isCancellation,
  patched,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { DeployInput, OperationInput, OperationResult, RunRef } from '../../contract/operations/deploy.ts';
import type { DriftInput } from '../../contract/drift.ts';
import { taskQueueOf } from '../../contract/names.ts';
import type { RingsInput, RingTarget, RingTargetView } from '../../contract/operations/rings.ts';
import type { RollbackInput } from '../../contract/operations/rollback.ts';
import { lockWaitsOf, looksOf } from '../activity-proxies.ts';
import { byItself } from '../by-itself.ts';
import { drift } from '../drift.ts';
import { resultOrCancel } from '../child-operation.ts';
import { failureOf, resultOf } from '../failure-of.ts';
import { deploy, rollback } from '../operation.ts';
import { isSuccess } from '../../contract/operations/states.ts';

/** Waits for its lock, deploys, and says in the view how it went. Throws for a cancellation alone. */
export async function deployTarget(
  { imageTags, requestedBy }: RingsInput,
  target: RingTarget,
  view: RingTargetView,
  changed: () => void,
): Promise<void> {
  const { expectedDigest, freezeOverride, freezeAttestation } = target;
  const input: DeployInput = {
    ...inputOf(target, view, requestedBy),
    imageTags,
    ...(expectedDigest === undefined ? {} : { expectedDigest }),
    ...(freezeOverride === undefined ? {} : { freezeOverride }),
    ...(freezeAttestation === undefined ? {} : { freezeAttestation }),
  };
  const cancels = patched(CANCELS_DEPLOYMENTS);
  const begin = (): Promise<ChildWorkflowHandle<typeof deploy>> =>
    startChild(deploy, { ...byItself('deploy', input), taskQueue: taskQueueOf(target.environment) });
  try {
    // Started outside of what is cancelled: its end is waited for then.
    const child = await underItsLock(target, view, changed, () =>
      cancels ? CancellationScope.nonCancellable(begin) : begin(),
    );
    Object.assign(view, { state: 'deploying', workflowId: child.workflowId, runId: child.firstExecutionRunId });
    changed();
    const { outcome, version, services } = await (cancels ? resultOrCancel(child) : child.result());
    const anything = services.some((service) => service.changed);
    Object.assign(view, { state: 'deployed', detail: outcome, changed: anything });
    if (version !== undefined) view.version = version;
  } catch (error) {
    const isOver = view.state === 'deploying' && cancels;
    if (isCancellation(error) && CancellationScope.current().consideredCancelled && !isOver) throw error;
    const result = resultOf<OperationResult>(error);
    view.state = result?.outcome === 'cancelled' || (isOver && isCancellation(error)) ? 'cancelled' : 'failed';
    view.detail = failureOf(error).message;
    // What its environment has taken back by itself is not taken back twice.
    const undone = isSuccess(result?.undone?.outcome);
    view.changed = !undone && result?.services.some((service) => service.changed) === true;
  }
  changed();
}

/** Of runs that began with an older worker. */
const CANCELS_DEPLOYMENTS = 'rings cancel the deployments that run';

/** @returns what is not as it was deployed, or does not work: one line each */
export async function lookAt({ environment, clusterUid }: RingTarget, id: string): Promise<string[]> {
  const { workflowId, runId } = workflowInfo();
  const run: RunRef = { environment, imageTags: {}, clusterUid, workflowId, runId };
  const input: DriftInput = { environment, clusterUid, mode: 'report', preview: true };
  const said = (lines: readonly string[]): string[] => lines.map((line) => `${environment}: ${line}`);
  try {
    const [found, { unwell }] = await Promise.all([
      executeChild(drift, {
        workflowId: id,
        taskQueue: taskQueueOf(environment),
        args: [input],
        staticSummary: `Drift of ${environment} while its ring soaks`,
      }),
      looksOf(taskQueueOf(environment)).lookAtPlatform(run),
    ]);
    const differing = found.outcome === 'drifted' ? (found.report?.findings ?? []) : [];
    return said([
      ...differing.map(
        ({ object, field, kind }) => `drift: ${object}${field === undefined ? '' : ` ${field}`} ${kind}`,
      ),
      ...unwell,
    ]);
  } catch (error) {
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    return said([`it could not be looked at: ${failureOf(error).message}`]);
  }
}

/** To the version before; an environment whose deployment changed nothing is left as it is. */
export async function takeBack(
  { requestedBy }: RingsInput,
  target: RingTarget,
  view: RingTargetView,
  changed: () => void,
): Promise<void> {
  if (view.changed !== true) return;
  const { confirmation } = target;
  const input: RollbackInput = {
    ...inputOf(target, view, requestedBy),
    pastNoReturn: false,
    // Whoever confirmed the deployment has confirmed what the file of rings asks for after a failure.
    ...(confirmation ? { confirmation: { ...confirmation, operation: 'rollback' } } : {}),
  };
  try {
    const child = await underItsLock(target, view, changed, () =>
      startChild(rollback, { ...byItself('rollback', input), taskQueue: taskQueueOf(target.environment) }),
    );
    Object.assign(view, { state: 'taking back', workflowId: child.workflowId, runId: child.firstExecutionRunId });
    changed();
    const { toVersion } = await child.result();
    view.state = 'taken back';
    view.detail = toVersion === undefined ? 'to what was there before' : `to version ${toVersion}`;
  } catch (error) {
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    view.state = 'not taken back';
    view.detail = failureOf(error).message;
  }
  changed();
}

function inputOf(
  { environment, clusterUid, confirmation }: RingTarget,
  { requester }: RingTargetView,
  requestedBy: string,
): OperationInput {
  return {
    environment,
    clusterUid,
    requestedBy,
    ...(confirmation ? { confirmation } : {}),
    ...(requester === undefined ? {} : { requester }),
  };
}

/** Whoever holds the lock is waited for, as a queue does. */
async function underItsLock<Handle>(
  { environment, clusterUid }: RingTarget,
  view: RingTargetView,
  changed: () => void,
  start: () => Promise<Handle>,
): Promise<Handle> {
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    view.state = 'queued';
    changed();
    await lockWaitsOf(taskQueueOf(environment)).awaitLockFree({ environment, clusterUid });
  }
}
