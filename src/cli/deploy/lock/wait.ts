/** `deploy --if-running queue|supersede`: the request waits on the engine, this command beside it. */
import { randomUUID } from 'node:crypto';
import { closeTemporal } from '../../../clients/temporal/index.ts';
import { lockHolderOf } from '../../../clients/temporal/lock.ts';
import { enqueueDeployment, type Queued } from '../../../clients/temporal/queue.ts';
import type { DeployInput } from '../../../contract/operations/deploy.ts';
import { EXIT_CODES } from '../../../contract/failures.ts';
import type { LockHolder, Supersede } from '../../../contract/lock.ts';
import { SIGNALS } from '../../../contract/messages.ts';
import { operationWorkflowId } from '../../../contract/names.ts';
import { type ExitCode, refused } from '../../shared/failure.ts';
import { commandLine } from '../../shared/format.ts';
import { workflowUrl } from '../../shared/lines.ts';
import { describeHolder, describeStall } from '../../shared/lock-words.ts';
import { identifyRequester } from '../../approvals/identify.ts';
import { OPERATION_WORDS } from '../../render/operation-words.ts';
import { writeJson } from '../../render/renderers.ts';
import { pause } from '../../shared/pause.ts';
import { printLines } from '../../shared/terminal.ts';
import { supervised } from '../local-stack.ts';
import type { Prerequisites } from '../prerequisites.ts';
import type { Session } from '../session.ts';
import { watchToEnd } from '../watch.ts';

export interface Wait {
  input: DeployInput;
  /** Whoever holds the lock is asked to end at a safe point. */
  supersede: boolean;
  detach: boolean;
}

const LOOK_EVERY_MS = 2000;

/** @throws CliError (refused) when a newer request took its place, or what holds the lock cannot be superseded */
export async function waitForLock(
  session: Session,
  { client, connections }: Prerequisites,
  { input, supersede, detach }: Wait,
): Promise<ExitCode> {
  const { renderer, interrupted, context } = session;
  const workflowId = operationWorkflowId(input.environment, input.clusterUid);
  interrupted.throwIfAborted();
  const holder = await lockHolderOf(client, workflowId);
  if (supersede && holder) requireSupersedable(holder, input.environment);
  const queued = await enqueueDeployment(client, randomUUID(), input);
  if (supersede && holder) {
    const by: Supersede = { by: input.requestedBy };
    // It may have ended by itself meanwhile: all the better.
    await client.workflow
      .getHandle(workflowId, holder.runId)
      .signal(SIGNALS.supersede, by)
      .catch(() => undefined);
    renderer.notice(`Asked ${describeHolder(holder, Date.now())} to end at a safe point.`);
  }
  // Whatever happens to this command, the request stays.
  context.outputLost = EXIT_CODES.detached;
  if (detach) return leave(session, client, '--detach');
  let answer;
  try {
    answer = await supervised(session, () => watching(session, client, workflowId, queued));
  } catch (error) {
    if (!interrupted.aborted) throw error;
    return await leave(session, client, (interrupted.reason as Error).message);
  }
  if ('overtakenBy' in answer) {
    await closeTemporal(client).catch(() => undefined);
    throw refused(
      `A newer request, of ${answer.overtakenBy}, took the place of this one in the queue: only the newest is deployed.`,
      `${commandLine('status', '--env', input.environment)}   (what runs, and who waits)`,
    );
  }
  const url = workflowUrl(connections.engine, answer.started);
  renderer.started({ ...answer.started, attached: false, ...(url === undefined ? {} : { url }) });
  await identifyRequester(session, client, connections, answer.started, 'deploy');
  return watchToEnd(session, client, answer.started);
}

/** A rollback or destruction is not superseded: half-done it leaves no state to deploy over. */
function requireSupersedable(holder: LockHolder, environment: string): void {
  if (holder.operation === 'deploy' || holder.operation === 'repair') return;
  throw refused(
    `The lock is held by ${describeHolder(holder, Date.now())}: ${OPERATION_WORDS[holder.operation].one} is not superseded, since half of it is nothing to build on.`,
    `${commandLine('deploy', '--env', environment, '--if-running', 'queue')}   (waits for its end, then deploys)`,
    `${commandLine('cancel', '--env', environment)}   (ends it all the same)`,
  );
}

/** Says what is waited for, and when that changes or stands still. */
async function watching(
  session: Session,
  client: Prerequisites['client'],
  workflowId: string,
  queued: Queued,
): ReturnType<Queued['answer']> {
  const { renderer, environment, interrupted } = session;
  const answered = new AbortController();
  let said = '';
  const look = async (): Promise<void> => {
    const signal = AbortSignal.any([answered.signal, interrupted]);
    for (let first = true; !signal.aborted; first = false) {
      if (!first) await pause(LOOK_EVERY_MS, signal);
      const holder = await lockHolderOf(client, workflowId).catch(() => undefined);
      if (!holder || answered.signal.aborted) continue;
      const key = `${holder.runId} ${holder.stalled === undefined ? 'moves' : 'stalled'}`;
      if (key === said) continue;
      said = key;
      renderer.notice(
        `Waits for the lock, which is held by ${describeHolder(holder, Date.now())}. Ctrl-C leaves the request in the queue.`,
      );
      for (const line of describeStall(holder, environment)) renderer.notice(line);
    }
  };
  const looking = look();
  try {
    return await queued.answer(interrupted);
  } finally {
    answered.abort();
    await looking;
  }
}

async function leave(
  { renderer, context, environment, json }: Session,
  client: Prerequisites['client'],
  why: string,
): Promise<ExitCode> {
  const { terminal } = context;
  renderer.close();
  await closeTemporal(client).catch(() => undefined);
  if (json) writeJson(terminal.stdout, { type: 'detached', environment: environment.name, queued: true, reason: why });
  printLines(json ? terminal.stderr : terminal.stdout, [
    `Detached (${why}): the request stays in the queue, and its deployment starts when the lock is free.`,
    `  How it stands:    ${commandLine('status', '--env', environment.name)}`,
    `  Take it back:     ${commandLine('cancel', '--queued', '--env', environment.name)}`,
  ]);
  return EXIT_CODES.detached;
}
