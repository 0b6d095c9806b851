/** `ananta cancel`: ends what holds the lock in good order, or takes back what waits for it. */
import { closeTemporal, type DeploymentHandle, latestDeployment } from '../../clients/temporal/index.ts';
import { lockHolderOf, queuedRequest } from '../../clients/temporal/lock.ts';
import { withdrawQueued } from '../../clients/temporal/queue.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { operationWorkflowId, queueIdOfLock } from '../../contract/names.ts';
import type { Connections } from '../../environment/connections.ts';
import type { CliContext } from '../shared/context.ts';
import { readClusterUid } from '../deploy/cluster.ts';
import { openEngine } from '../deploy/engine.ts';
import { ensureLocalStackAgain } from '../deploy/local-stack.ts';
import { inSession } from '../deploy/in-session.ts';
import type { Session } from '../deploy/session.ts';
import { watchToEnd } from '../deploy/watch.ts';
import type { ExitCode } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { workflowUrl } from '../shared/lines.ts';
import { describeHolder, describeStall } from '../shared/lock-words.ts';
import { writeJson } from '../render/renderers.ts';
import { printLines } from '../shared/terminal.ts';

export interface CancelOptions {
  env: string;
  queued?: true;
  json?: true;
}

export function runCancel(context: CliContext, options: CancelOptions): Promise<ExitCode> {
  return inSession(context, 'cancel', options, async (session) => {
    const { environment, renderer } = session;
    const connections = await ensureLocalStackAgain(session);
    const client = await openEngine(environment, connections);
    const lock = await lockIdOf(session, connections, client);
    const queueId = lock === undefined ? undefined : queueIdOfLock(lock);
    const queued = queueId === undefined ? undefined : await queuedRequest(client, queueId);
    if (options.queued) {
      if (queueId === undefined || !queued || !(await withdrawQueued(client, queueId)))
        return nothing(session, client, 'Nobody waits for the lock: there is nothing to take back.');
      await closeTemporal(client).catch(() => undefined);
      return say(
        session,
        `The deployment that ${queued.requestedBy} asked for at ${queued.since} was taken back from the queue.`,
      );
    }
    const holder = lock === undefined ? undefined : await lockHolderOf(client, lock);
    if (!holder) return nothing(session, client, `Nothing is running on "${environment.name}": the lock is free.`);
    const run: DeploymentHandle = { workflowId: holder.workflowId, runId: holder.runId };
    await client.workflow.getHandle(run.workflowId, run.runId).cancel();
    const url = workflowUrl(connections.engine, run);
    renderer.started({ ...run, attached: true, ...(url === undefined ? {} : { url }) });
    renderer.notice(`Asked ${describeHolder(holder, Date.now())} to end in good order.`);
    for (const line of describeStall(holder, environment)) renderer.notice(line);
    if (queued)
      renderer.notice(
        `The deployment that ${queued.requestedBy} asked for starts afterwards; to take it back: ${commandLine('cancel', '--queued', '--env', environment.name)}`,
      );
    const code = await watchToEnd(session, client, run, `what was cancelled on ${environment.name} comes to its end`);
    return code === EXIT_CODES.cancelled ? EXIT_CODES.done : code;
  });
}

/** By the cluster's identity; where that does not answer, by what was last started on this environment. */
async function lockIdOf(
  { environment }: Session,
  connections: Connections,
  client: Awaited<ReturnType<typeof openEngine>>,
): Promise<string | undefined> {
  try {
    return operationWorkflowId(environment.name, await readClusterUid(environment, connections));
  } catch (error) {
    const latest = await latestDeployment(client, environment.name);
    if (!latest) throw error;
    return latest.workflowId;
  }
}

async function nothing(
  session: Session,
  client: Awaited<ReturnType<typeof openEngine>>,
  text: string,
): Promise<ExitCode> {
  await closeTemporal(client).catch(() => undefined);
  return say(session, text);
}

function say({ context, environment, json, renderer }: Session, text: string): ExitCode {
  renderer.close();
  if (json) writeJson(context.terminal.stdout, { type: 'notice', environment: environment.name, message: text });
  else printLines(context.terminal.stdout, [text]);
  return EXIT_CODES.done;
}
