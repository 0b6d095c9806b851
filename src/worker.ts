/**
 * The worker of one environment: connects its clients, serves the task queue until told to stop.
 *
 *   node src/worker.ts --env NAME
 */
import { parseArgs } from 'node:util';
import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from './activities/index.ts';
import { createClients } from './clients/index.ts';
import { workflowBundle } from './clients/temporal/bundle.ts';
import { closeTemporal, connectTemporal, engineConnectionOptions, isRunAlive, reachEngine } from './clients/temporal/index.ts';
import { workerIdentities } from './clients/temporal/workers.ts';
import { type Config, readConfig } from './config.ts';
import { TASK_QUEUE } from './contract/names.ts';
import { resolveConnections } from './environment/connections.ts';
import { loadEnvironment } from './environment/load.ts';
import type { Environment } from './environment/schema.ts';
import { contentDigest, identityWithContent } from './plan/content.ts';
import { serveHealth } from './worker-health.ts';

/** Seconds that running activities get to end in good order: longer than Helm needs to put a release into `failed`. */
const GRACE_SECONDS = 20;

/** @param helm path of the Helm to use, where it is not the one that the bootstrap installed for this environment */
export async function runWorker(environmentName: string, helm?: string): Promise<void> {
  const config = readConfig();
  const environment = await loadEnvironment(environmentName, config);
  const resolved = await resolveConnections(environment, config);
  const connections = helm === undefined ? resolved : { ...resolved, helm };
  Runtime.install({ logger: new DefaultLogger('INFO', ({ level, timestampNanos, message, meta }) => {
    const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
    const { error, workflowId, activityType, attempt } = (meta ?? {}) as { error?: unknown; workflowId?: string; activityType?: string; attempt?: number };
    const where = [workflowId, activityType, attempt === undefined ? undefined : `attempt ${attempt}`].filter((part) => part !== undefined).join(' ');
    process.stdout.write(`${time} ${level} ${message}${where ? ` (${where})` : ''}${error instanceof Error ? `: ${error.message}` : ''}\n`);
  }), shutdownSignals: [] });

  const way = await reachEngine(connections.engine);
  const [bundle, connection, client, identity] = await Promise.all([
    workflowBundle(config.repoRoot, config.stateRoot),
    NativeConnection.connect(await engineConnectionOptions(connections.engine, way.address)),
    connectTemporal(connections.engine),
    identityOf(environment, config),
  ]);
  const graceSeconds = config.pod?.graceSeconds ?? GRACE_SECONDS;
  const clients = await createClients(environment, connections, config, { isRunAlive: (run) => isRunAlive(client, run.workflowId, run.runId), engine: client });
  try {
    const worker = await Worker.create({
      connection,
      namespace: connections.engine.namespace,
      taskQueue: TASK_QUEUE,
      workflowBundle: { codePath: bundle },
      activities: createActivities(clients),
      identity,
      // A workflow that a dead worker held would otherwise wait 10 s for it.
      stickyQueueScheduleToStartTimeout: '1s',
      shutdownGraceTime: `${graceSeconds}s`,
      shutdownForceTime: `${graceSeconds + 10}s`,
      maxConcurrentActivityTaskExecutions: 200,
      maxConcurrentWorkflowTaskExecutions: 40,
      maxHeartbeatThrottleInterval: '2s',
      defaultHeartbeatThrottleInterval: '2s',
    });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    });
    const health = config.pod && await sayHealth(worker, client, identity, config.pod.healthPort);
    await worker.run().finally(() => health?.close());
  } finally {
    await clients.close();
    await closeTemporal(client);
    await connection.close();
    await way.close();
  }
}

/** A worker in the cluster also says what it would deploy: it cannot see the checkout of whoever asks for a deployment. */
async function identityOf(environment: Environment, config: Config): Promise<string> {
  const identity = `${config.requestedBy}/${process.pid}`;
  return config.pod ? identityWithContent(await contentDigest(environment, config), identity) : identity;
}

const LOOK_MILLISECONDS = 10_000;
const FIRST_LOOKS_MILLISECONDS = 1000;

/** Asks the engine whether it hears from this worker, and answers the kubelet's probes with that. */
async function sayHealth(worker: Worker, client: Client, identity: string, port: number): Promise<{ close: () => void }> {
  let seenAt: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    const found = await workerIdentities(client, TASK_QUEUE).catch(() => []);
    const at = found.find((poller) => poller.identity === identity)?.seenAt;
    if (at !== undefined) seenAt = Math.max(seenAt ?? 0, at);
    timer = setTimeout(() => void look(), seenAt === undefined ? FIRST_LOOKS_MILLISECONDS : LOOK_MILLISECONDS).unref();
  };
  const server = await serveHealth(port, () => ({ state: worker.getState(), seenAt }));
  void look();
  return { close: () => {
    clearTimeout(timer);
    server.close();
  } };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { env: { type: 'string' } } });
  if (values.env === undefined) {
    process.stderr.write('worker: --env NAME is missing\n');
    process.exit(3);
  }
  try {
    await runWorker(values.env);
  } catch (error) {
    process.stderr.write(`worker: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  }
  process.exit(0);
}
