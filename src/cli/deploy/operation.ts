/**
 * What every command does that starts an operation: the local stack runs, the engine answers, the lock is taken, the
 * end is watched.
 */
import type { Client } from '@temporalio/client';
import { closeTemporal, startOrAttach } from '../../clients/temporal/index.ts';
import type { OperationInput } from '../../contract/deploy.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import type { Operation } from '../../contract/plan.ts';
import type { LockHolder } from '../../contract/lock.ts';
import { asksOf } from '../../contract/start-options.ts';
import type { Connections } from '../../environment/connections.ts';
import type { ExitCode } from '../shared/failure.ts';
import { workflowUrl } from '../shared/lines.ts';
import { describeHolder, describeStall } from '../shared/lock-words.ts';
import { freezeNotice } from '../freeze/notice.ts';
import { describeContinuation, OPERATION_WORDS } from '../render/operation-words.ts';
import { requireBound, requireOwned } from './binding.ts';
import { type FoundCluster, readCluster } from './cluster.ts';
import { openEngine, requireSearchAttributes, requireWorker } from './engine.ts';
import type { Session } from './session.ts';
import { printDetached, watchToEnd } from './watch.ts';

/** Everything an operation is started with, checked. */
export interface Prerequisites {
  connections: Connections;
  clusterUid: string;
  cluster: FoundCluster;
  client: Client;
}

/**
 * @throws CliError (refused) when cluster, engine or worker are not there, or the cluster is another one than before
 */
export async function prerequisites(
  { environment, renderer }: Session,
  connections: Connections,
): Promise<Prerequisites> {
  const cluster = await readCluster(environment, connections);
  // A cluster of somebody else is told also where the engine is away.
  if (cluster.record) requireOwned(environment, cluster, true);
  const client = await openEngine(environment, connections);
  await requireBound(client, environment, cluster);
  await requireSearchAttributes(client, environment, connections, (text) => {
    renderer.notice(text);
  });
  await requireWorker(client, environment);
  return { connections, clusterUid: cluster.uid, cluster, client };
}

export interface Launch<Input extends OperationInput> {
  operation: Operation;
  input: Input;
  ifRunning: 'attach' | 'refuse';
  detach?: boolean;
  /** Called instead of watching an operation that does something else than what was asked for. */
  whenOther?: (holder: LockHolder) => Promise<ExitCode>;
  /** Options that have no effect on an operation that runs already. */
  ignored?: readonly string[];
}

/** Starts the operation or attaches to the one that holds the lock; watches it to its end unless told to leave. */
export async function launch<Input extends OperationInput>(
  session: Session,
  { client, connections }: Prerequisites,
  { operation, input, ifRunning, detach = false, ignored = [], whenOther }: Launch<Input>,
): Promise<ExitCode> {
  const { renderer } = session;
  session.interrupted.throwIfAborted();
  const frozen = freezeNotice(session.environment, operation, input.freezeOverride, Date.now());
  if (frozen !== undefined) renderer.notice(frozen);
  const run = await startOrAttach(client, operation, input, ifRunning);
  if (run.holder && whenOther && !doesTheSame(run.holder, operation, input)) return whenOther(run.holder);
  const url = workflowUrl(connections.engine, run);
  renderer.started({
    workflowId: run.workflowId,
    runId: run.runId,
    attached: run.attached,
    ...(url === undefined ? {} : { url }),
  });
  if (run.attached) {
    const what = run.holder ? describeHolder(run.holder, Date.now()) : OPERATION_WORDS.deploy.one;
    renderer.notice(
      `The lock of ${input.environment} is held by ${what}: this command watches it, and starts none of its own.${
        ignored.length > 0
          ? ` ${ignored.join(' and ')} ${ignored.length === 1 ? 'does' : 'do'} not apply to it: run the command again afterwards, or with --if-running queue.`
          : ''
      }`,
    );
    for (const line of run.holder ? describeStall(run.holder, session.environment) : []) renderer.notice(line);
  }
  const goesOn = describeContinuation(run.holder?.operation ?? operation, input.environment);
  if (detach) {
    renderer.close();
    printDetached(session, run, '--detach', goesOn);
    await closeTemporal(client).catch(() => undefined);
    return EXIT_CODES.detached;
  }
  return watchToEnd(session, client, run, goesOn);
}

/** Of a holder from an earlier version, which does not say what it was asked for, nobody can know. */
function doesTheSame({ operation, asks }: LockHolder, wanted: Operation, input: OperationInput): boolean {
  return operation === wanted && asks !== undefined && asks === asksOf(input);
}
