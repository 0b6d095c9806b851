/**
 * What another team's workflow has asked for through Nexus. The operation itself runs under its lock, as every other
 * one does; this waits for the lock, starts it, and hands its end on. Cancelled, it cancels what it has started.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  type ChildWorkflowHandle,
  isCancellation,
  setCurrentDetails,
  startChild,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import { FAILURES } from '../../contract/failures.ts';
import type { DeployRequest, NexusRequest, PromoteRequest } from '../../contract/nexus/messages.ts';
import type { OperationOutput, VerifyOutput } from '../../contract/nexus/service.d.ts';
import type { DeployInput, OperationResult, RunRef } from '../../contract/operations/deploy.ts';
import { taskQueueOf } from '../../contract/names.ts';
import { asksOf } from '../../contract/operations/start-options.ts';
import type { LockHolder } from '../../contract/lock.ts';
import { operationOutput } from '../../plan/nexus/output.ts';
import { lockWaits, others, preparations, reads, versionsOf } from '../activity-proxies.ts';
import { byItself } from '../by-itself.ts';
import { resultOrCancel } from '../child-operation.ts';
import { failureOf, resultOf } from '../failure-of.ts';
import { deploy } from '../operation.ts';
import { verification } from './verification.ts';

/** @throws ApplicationFailure of the operation's own type with an OperationOutput as its detail, or CancelledFailure */
export async function nexusOperation(request: NexusRequest): Promise<OperationOutput | VerifyOutput> {
  if (request.kind === 'verify') return verification(request);
  say(request, 'checks what stands against it');
  try {
    const input = await prepared(request);
    say(request, 'starts, or waits for the lock');
    return await carriedOut(request, input);
  } catch (error) {
    throw visibleToCaller(request, error);
  }
}

interface Prepared {
  input: DeployInput;
  notes: readonly string[];
}

/** The same checks as a command's, before the lock is taken. */
async function prepared(request: DeployRequest | PromoteRequest): Promise<Prepared> {
  const { environment, clusterUid, requestedBy, expectedDigest, timeoutSeconds, confirmation } = request;
  const imageTags = request.kind === 'deploy' ? request.imageTags : {};
  const run = runOf(request, imageTags);
  const promote = request.kind === 'promote' ? await sourceOf(request) : undefined;
  const found = await preparations.prepareDeployment.executeWithOptions(
    { summary: 'Charts, values, secrets: does anything stand against it?' },
    [{ run, ...(promote ? { promote } : {}) }],
  );
  const input: DeployInput = {
    environment,
    clusterUid,
    requestedBy,
    imageTags: found.imageTags,
    ...(found.promotedFrom ? { promotedFrom: found.promotedFrom } : {}),
    ...(request.kind === 'deploy' && request.selection ? { selection: request.selection } : {}),
    ...(expectedDigest === undefined ? {} : { expectedDigest }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    ...(confirmation ? { confirmation } : {}),
  };
  return { input, notes: found.notes };
}

/** Its own workers read it in its own cluster: those of the target may not be able to. */
async function sourceOf({
  from,
  version,
  pastNoReturn,
}: PromoteRequest): Promise<{ version: Awaited<ReturnType<ReadVersion>>['version']; pastNoReturn: boolean }> {
  const { workflowId, runId } = workflowInfo();
  const run: RunRef = { environment: from, imageTags: {}, clusterUid: '', workflowId, runId };
  try {
    const found = await versionsOf(taskQueueOf(from)).readVersion.executeWithOptions(
      { summary: `Version ${version ?? 'that is the newest'} of ${from}` },
      [{ run, ...(version === undefined ? {} : { version }) }],
    );
    return { version: found.version, pastNoReturn };
  } catch (error) {
    if (!(error instanceof ActivityFailure && error.cause instanceof TimeoutFailure)) throw error;
    throw ApplicationFailure.nonRetryable(
      `No worker of "${from}" has answered on this engine, so its version could not be read. Nothing was changed`,
      FAILURES.unreachable,
    );
  }
}

type ReadVersion = ReturnType<typeof versionsOf>['readVersion'];

async function carriedOut(
  request: DeployRequest | PromoteRequest,
  { input, notes }: Prepared,
): Promise<OperationOutput> {
  const { requestedBy, ifRunning } = request;
  for (;;) {
    const child = await startUnderLock(input);
    if (child) {
      say(request, `runs as ${child.workflowId}, run ${child.firstExecutionRunId}`);
      return operationOutput(await resultOrCancel(child), { requestedBy, attached: false, notes });
    }
    const { holder } = await reads.lockHolder.executeWithOptions({ summary: 'Who holds the lock' }, [
      { environment: input.environment, clusterUid: input.clusterUid },
    ]);
    // It has ended in between.
    if (!holder) continue;
    if (ifRunning === 'refuse')
      throw ApplicationFailure.nonRetryable(
        `${heldText(input.environment, holder)}: nothing of what was asked for was done`,
        FAILURES.lockHeld,
      );
    if (ifRunning === 'attach' && doesTheSame(holder, input)) return attachedTo(request, holder, notes);
    say(request, `waits for its turn: ${heldText(input.environment, holder)}`);
    await lockWaits.awaitLockFree.executeWithOptions({ summary: `The lock of ${input.environment} is free` }, [
      { environment: input.environment, clusterUid: input.clusterUid },
    ]);
  }
}

/** @returns undefined where somebody holds the lock */
async function startUnderLock(input: DeployInput): Promise<ChildWorkflowHandle<typeof deploy> | undefined> {
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled before it was started');
  try {
    // Outside of what is cancelled: one that has been started is cancelled by its id, and its end is waited for.
    return await CancellationScope.nonCancellable(() => startChild(deploy, byItself('deploy', input)));
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}

/** Somebody else's: whoever gives up here does not end it. */
async function attachedTo(
  request: DeployRequest | PromoteRequest,
  { workflowId, runId, requestedBy }: LockHolder,
  notes: readonly string[],
): Promise<OperationOutput> {
  say(request, `takes part in run ${runId}, which ${requestedBy} has started`);
  const { result, problem } = await others.awaitOperation.executeWithOptions({ summary: `The end of run ${runId}` }, [
    { run: runOf(request, {}), workflowId, runId },
  ]);
  if (result?.outcome === 'succeeded' || result?.outcome === 'unchanged')
    return operationOutput(result, { requestedBy, attached: true, notes });
  throw ApplicationFailure.create({
    message: problem ?? `The deployment that ${requestedBy} has started ended as ${result?.outcome ?? 'nobody knows'}`,
    type: FAILURES.deployFailed,
    nonRetryable: true,
    details: result ? [operationOutput(result, { requestedBy, attached: true, notes })] : [],
  });
}

function doesTheSame({ operation, asks }: LockHolder, input: DeployInput): boolean {
  return operation === 'deploy' && asks !== undefined && asks === asksOf(input);
}

/** Replaces the whole result in the error by the part that the caller may see. */
function visibleToCaller({ requestedBy }: NexusRequest, error: unknown): unknown {
  const result = resultOf<OperationResult>(error);
  const output = result?.services ? [operationOutput(result, { requestedBy, attached: false })] : [];
  if (isCancellation(error)) {
    if (CancellationScope.current().consideredCancelled)
      return new CancelledFailure('The operation was cancelled: what it had begun has ended in good order', output);
    return ApplicationFailure.create({
      message: 'The operation was cancelled, and not by its caller',
      type: FAILURES.deployFailed,
      nonRetryable: true,
      details: output,
    });
  }
  if (error instanceof ApplicationFailure) return error;
  const { type, message } = failureOf(error);
  return ApplicationFailure.create({ message, type, nonRetryable: true, details: output });
}

function runOf({ environment, clusterUid, requestedBy }: NexusRequest, imageTags: Record<string, string>): RunRef {
  const { workflowId, runId } = workflowInfo();
  return { environment, imageTags, clusterUid, workflowId, runId, requestedBy };
}

function heldText(environment: string, { operation, requestedBy, since }: LockHolder): string {
  return `${operation} on "${environment}" by ${requestedBy} holds the lock since ${since}`;
}

function say({ kind, environment, requestedBy }: NexusRequest, what: string): void {
  setCurrentDetails(`${kind} on **${environment}**, asked for by ${requestedBy}: ${what}`);
}
