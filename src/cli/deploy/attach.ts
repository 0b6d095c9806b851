/** `ananta attach`: the newest deployment of an environment, from its beginning. */
import { latestDeployment } from '../../clients/temporal/index.ts';
import type { AttachOptions } from '../commands/attach.ts';
import type { CliContext } from '../context.ts';
import { type ExitCode, refused } from '../failure.ts';
import { commandLine } from '../format.ts';
import { workflowUrl } from '../lines.ts';
import { createRenderer } from '../render/renderers.ts';
import { openEngine } from './engine.ts';
import { standUpAgain } from './ground.ts';
import { watchInterrupts } from './interrupt.ts';
import { preflight } from './preflight.ts';
import { type Session, watchToEnd, writeJsonError } from './session.ts';

export async function runAttach(context: CliContext, options: AttachOptions): Promise<ExitCode> {
  const json = options.json === true;
  const renderer = createRenderer(context.terminal, options.env, json);
  const interrupts = watchInterrupts();
  try {
    const { environment } = await preflight(context, options.env);
    const session: Session = { context, environment, json, renderer, interrupted: interrupts.signal };
    const connections = await standUpAgain(session);
    const client = await openEngine(environment, connections);
    const run = await latestDeployment(client, environment.name);
    if (!run) throw refused(`Nothing was ever deployed to "${environment.name}" by this engine.`, commandLine('deploy', '--env', environment.name));
    const url = workflowUrl(connections.engine, run);
    renderer.started({ workflowId: run.workflowId, runId: run.runId, attached: true, ...(url === undefined ? {} : { url }) });
    return await watchToEnd(session, client, run);
  } catch (error) {
    renderer.close();
    writeJsonError({ context, json }, error, 'attach', options.env);
    throw error;
  } finally {
    renderer.close();
    interrupts.dispose();
  }
}
