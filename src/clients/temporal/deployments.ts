/** Starting, finding and describing deployments on the engine. */
import { AnantaError, type NextStep } from '../../contract/errors.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { OperationInput } from '../../contract/operations/deploy.ts';
import type { LockHolder } from '../../contract/lock.ts';
import { isLockId, taskQueueOf, WORKFLOW_TYPES } from '../../contract/names.ts';
import { type Operation, OPERATIONS } from '../../contract/operations/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/search-attributes.ts';
import { startOptionsOf } from '../../contract/operations/start-options.ts';
import { forgiving } from './encryption/readable.ts';
import { describe, lockHolderOf } from './lock.ts';

export interface DeploymentHandle {
  workflowId: string;
  runId: string;
}

/** One that was started, or that was found to hold the lock. */
export interface StartedRun extends DeploymentHandle {
  attached: boolean;
  /** Of one that was found. */
  holder?: LockHolder;
}

export interface DeploymentDescription extends DeploymentHandle {
  /** Temporal's name: RUNNING, COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT. */
  status: string;
  startTime: Date;
  closeTime?: Date;
}

/** The lock is held by another run, and the caller did not want to attach. */
export class DeploymentRunningError extends AnantaError {
  override name = 'DeploymentRunningError';
  override readonly exitCode = EXIT_CODES.refused;
  override readonly next: readonly NextStep[] = [
    { command: 'attach', why: 'watches it' },
    { command: 'deploy', options: ['--if-running', 'queue'], why: 'waits for its end, then deploys' },
  ];
  readonly running: LockHolder | undefined;
  constructor(message: string, running: LockHolder | undefined) {
    super(message);
    this.running = running;
  }

  override explain(): string {
    return `${this.message}. It holds the lock of this environment and cluster.`;
  }
}

/**
 * Starts an operation, or finds the one that holds the lock.
 * @throws DeploymentRunningError with `refuse`, naming the run and since when it holds the lock
 */
export async function startOrAttach<Input extends OperationInput>(
  client: Client,
  operation: Operation,
  input: Input,
  ifRunning: 'attach' | 'refuse',
): Promise<StartedRun> {
  const options = startOptionsOf(operation, input);
  const { workflowId } = options;
  try {
    const handle = await client.workflow.start(WORKFLOW_TYPES[operation], {
      ...options,
      taskQueue: taskQueueOf(input.environment),
      args: [input],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    });
    return { workflowId, runId: handle.firstExecutionRunId, attached: false };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const holder = await lockHolderOf(client, workflowId);
    if (ifRunning === 'refuse' || !holder)
      throw new DeploymentRunningError(runningText(input.environment, holder), holder);
    return { workflowId, runId: holder.runId, attached: true, holder };
  }
}

function runningText(environment: string, holder: LockHolder | undefined): string {
  if (!holder) return `Another operation on "${environment}" has just ended, or is about to begin`;
  const what: Record<Operation, string> = {
    deploy: 'A deployment to',
    rollback: 'A rollback of',
    repair: 'A drift repair of',
    destroy: 'A destruction of',
    adopt: 'An adoption in',
    rotate: 'A rotation of secrets of',
  };
  return `${what[holder.operation]} "${environment}" is already running, started by ${holder.requestedBy}, since ${holder.since} (workflow ${holder.workflowId}, run ${holder.runId})${holder.stalled === undefined ? '' : `; it does not move: ${holder.stalled}`}`;
}

/** @returns undefined when there is no such workflow */
export async function describeDeployment(
  client: Client,
  run: { workflowId: string; runId?: string },
): Promise<DeploymentDescription | undefined> {
  const found = await describe(client, run.workflowId, run.runId);
  return (
    found && {
      workflowId: found.workflowId,
      runId: found.runId,
      status: found.status.name,
      startTime: found.startTime,
      ...(found.closeTime ? { closeTime: found.closeTime } : {}),
    }
  );
}

/**
 * The operations of an environment, running or not, the newest first; works without a worker and without the cluster.
 */
export async function deploymentsOf(client: Client, environment: string): Promise<DeploymentDescription[]> {
  const query = `WorkflowType IN (${OPERATIONS.map((operation) => `'${operation}'`).join(', ')}) AND ${SEARCH_ATTRIBUTES.environment.name} = '${environment}'`;
  const found: DeploymentDescription[] = [];
  for await (const info of forgiving(client).workflow.list({ query })) {
    // One that takes back what a failed deployment changed belongs to that deployment.
    if (!isLockId(info.workflowId)) continue;
    found.push({
      workflowId: info.workflowId,
      runId: info.runId,
      status: info.status.name,
      startTime: info.startTime,
      ...(info.closeTime ? { closeTime: info.closeTime } : {}),
    });
  }
  return found.sort((a, b) => b.startTime.getTime() - a.startTime.getTime());
}

/** The newest operation of an environment. */
export async function latestDeployment(
  client: Client,
  environment: string,
): Promise<DeploymentDescription | undefined> {
  return (await deploymentsOf(client, environment))[0];
}

/** @returns whether the run that wrote a release is still going on: it may come back to what it left half done */
export async function isRunAlive(client: Client, workflowId: string, runId: string): Promise<boolean> {
  return (await describeDeployment(client, { workflowId, runId }))?.status === 'RUNNING';
}
