/** Stands up what is embedded, starts or finds the deployment, watches it. */
import type { Client } from '@temporalio/client';
import { closeTemporal, latestDeployment, startOrAttach } from '../../clients/temporal/index.ts';
import type { DeployInput } from '../../contract/deploy.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import type { Connections } from '../../environment/connections.ts';
import type { DeployOptions } from '../commands/deploy.ts';
import { type ExitCode, refused } from '../failure.ts';
import { commandLine } from '../format.ts';
import { workflowUrl } from '../lines.ts';
import { helmBinary } from '../helm-binary.ts';
import { setupLine } from '../render/setup.ts';
import { checkCharts } from './charts.ts';
import { readClusterUid } from './cluster.ts';
import { openEngine, requireSearchAttributes, requireWorker } from './engine.ts';
import { standUp, standUpAgain } from './ground.ts';
import type { Prepared } from './preflight.ts';
import type { Session } from './session.ts';
import { checkVault } from './vault-checks.ts';
import { printDetached, watchToEnd } from './watch.ts';

export async function deploy(session: Session, prepared: Prepared, options: DeployOptions): Promise<ExitCode> {
  const { environment } = prepared;
  const { config } = session.context;
  const connections = await standUp(session);
  const clusterUid = await readClusterUid(environment, connections);
  const client = await openEngine(environment, connections);
  await requireSearchAttributes(client, environment);
  await requireWorker(client, environment);
  await checkVault(session, connections);
  const helm = await helmBinary(connections, config, (event) => session.renderer.setup(setupLine({ kind: 'tool', progress: event })));
  await checkCharts(prepared, options.image ?? {}, helm, config);
  return start(session, client, connections, options, {
    environment: environment.name, imageTags: options.image ?? {}, clusterUid, requestedBy: config.requestedBy,
    ...(options.timeout === undefined ? {} : { timeoutSeconds: options.timeout }),
  });
}

async function start(session: Session, client: Client, connections: Connections, options: DeployOptions, input: DeployInput): Promise<ExitCode> {
  const { renderer } = session;
  session.interrupted.throwIfAborted();
  const run = await startOrAttach(client, input, options.ifRunning);
  const url = workflowUrl(connections.engine, run);
  renderer.started({ ...run, ...(url === undefined ? {} : { url }) });
  const ignored = [...(Object.keys(options.image ?? {}).length > 0 ? ['--image'] : []), ...(options.timeout === undefined ? [] : ['--timeout'])];
  if (run.attached) {
    renderer.notice(`A deployment to ${input.environment} is running already: this command watches it, and starts none of its own.${
      ignored.length > 0 ? ` ${ignored.join(' and ')} do not apply to it: run the command again afterwards.` : ''}`);
  }
  if (options.detach) {
    renderer.close();
    printDetached(session, run, '--detach');
    await closeTemporal(client).catch(() => undefined);
    return EXIT_CODES.detached;
  }
  return watchToEnd(session, client, run);
}

/** The newest deployment of an environment, from its beginning. */
export async function attach(session: Session): Promise<ExitCode> {
  const { environment, renderer } = session;
  const connections = await standUpAgain(session);
  const client = await openEngine(environment, connections);
  const run = await latestDeployment(client, environment.name);
  if (!run) throw refused(`Nothing was ever deployed to "${environment.name}" by this engine.`, commandLine('deploy', '--env', environment.name));
  const url = workflowUrl(connections.engine, run);
  renderer.started({ workflowId: run.workflowId, runId: run.runId, attached: true, ...(url === undefined ? {} : { url }) });
  return watchToEnd(session, client, run);
}
