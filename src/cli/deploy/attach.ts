/** `ananta attach`: the newest deployment of an environment, from its beginning. */
import { latestDeployment } from '../../clients/temporal/index.ts';
import { lockHolderOf } from '../../clients/temporal/lock.ts';
import { describeContinuation } from '../render/operation-words.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { workflowUrl } from '../shared/lines.ts';
import { openEngine } from './engine.ts';
import { ensureLocalStackAgain } from './local-stack.ts';
import type { Session } from './session.ts';
import { watchToEnd } from './watch.ts';

/** @throws CliError (refused) where nothing was ever deployed */
export async function attach(session: Session): Promise<ExitCode> {
  const { environment, renderer } = session;
  const connections = await ensureLocalStackAgain(session);
  const client = await openEngine(environment, connections);
  const run = await latestDeployment(client, environment.name);
  if (!run)
    throw refused(
      `Nothing was ever deployed to "${environment.name}" by this engine.`,
      commandLine('deploy', '--env', environment.name),
    );
  const url = workflowUrl(connections.engine, run);
  renderer.started({
    workflowId: run.workflowId,
    runId: run.runId,
    attached: true,
    ...(url === undefined ? {} : { url }),
  });
  const holder = await lockHolderOf(client, run.workflowId);
  return watchToEnd(session, client, run, describeContinuation(holder?.operation ?? 'deploy', environment.name));
}
