/** `ananta deploy`: look, stand up what is embedded, start or find the deployment, watch it. */
import type { Client } from '@temporalio/client';
import { closeTemporal, startOrAttach } from '../../clients/temporal/index.ts';
import type { DeployInput } from '../../contract/deploy.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import type { Connections } from '../../environment/connections.ts';
import type { DeployOptions } from '../commands/deploy.ts';
import type { CliContext } from '../context.ts';
import type { ExitCode } from '../failure.ts';
import { workflowUrl } from '../lines.ts';
import { createRenderer } from '../render/renderers.ts';
import { readClusterUid } from './cluster.ts';
import { openEngine, requireWorker } from './engine.ts';
import { standUp } from './ground.ts';
import { watchInterrupts } from './interrupt.ts';
import { preflight } from './preflight.ts';
import { type Session, printDetached, watchToEnd, writeJsonError } from './session.ts';
import { requireSuppliedSecrets } from './supplied.ts';

export async function runDeploy(context: CliContext, options: DeployOptions): Promise<ExitCode> {
  const json = options.json === true;
  const renderer = createRenderer(context.terminal, options.env, json);
  const interrupts = watchInterrupts();
  try {
    const { environment, catalog } = await preflight(context, options.env, options.image);
    const session: Session = { context, environment, json, renderer, interrupted: interrupts.signal };
    const connections = await standUp(session);
    const clusterUid = await readClusterUid(environment, connections);
    await requireSuppliedSecrets(session, catalog, connections);
    const client = await openEngine(environment, connections);
    await requireWorker(client, environment);
    return await start(session, client, connections, options, {
      environment: environment.name, imageTags: options.image ?? {}, clusterUid, requestedBy: context.config.requestedBy,
      ...(options.timeout === undefined ? {} : { timeoutSeconds: options.timeout }),
    });
  } catch (error) {
    renderer.close();
    writeJsonError({ context, json }, error, 'deploy', options.env);
    throw error;
  } finally {
    renderer.close();
    interrupts.dispose();
  }
}

async function start(session: Session, client: Client, connections: Connections, options: DeployOptions, input: DeployInput): Promise<ExitCode> {
  const { renderer } = session;
  const run = await startOrAttach(client, input, options.ifRunning);
  const url = workflowUrl(connections.engine, run);
  renderer.started({ ...run, ...(url === undefined ? {} : { url }) });
  const ignored = [...(Object.keys(options.image ?? {}).length > 0 ? ['--image'] : []), ...(options.timeout === undefined ? [] : ['--timeout'])];
  if (run.attached && ignored.length > 0) renderer.notice(`${ignored.join(' and ')} do not apply: the running deployment was started without this command. Run it again afterwards.`);
  if (options.detach) {
    renderer.close();
    printDetached(session, run, '--detach');
    await closeTemporal(client).catch(() => undefined);
    return EXIT_CODES.detached;
  }
  return watchToEnd(session, client, run);
}
