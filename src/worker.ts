/**
 * The worker of one environment: connects its clients, serves the task queue until told to stop.
 *
 *   node src/worker.ts --env NAME
 */
import { parseArgs } from 'node:util';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from './activities/index.ts';
import { createClients } from './clients/index.ts';
import { workflowBundle } from './clients/temporal/bundle.ts';
import { closeTemporal, connectTemporal, engineConnectionOptions, isRunAlive } from './clients/temporal/index.ts';
import { readConfig } from './config.ts';
import { TASK_QUEUE } from './contract/names.ts';
import { resolveConnections } from './environment/connections.ts';
import { loadEnvironment } from './environment/load.ts';

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

  const [bundle, connection, client] = await Promise.all([
    workflowBundle(config.repoRoot, config.stateRoot),
    NativeConnection.connect(await engineConnectionOptions(connections.engine)),
    connectTemporal(connections.engine),
  ]);
  const clients = await createClients(environment, connections, config, { isRunAlive: (run) => isRunAlive(client, run.workflowId, run.runId), engine: client });
  try {
    const worker = await Worker.create({
      connection,
      namespace: connections.engine.namespace,
      taskQueue: TASK_QUEUE,
      workflowBundle: { codePath: bundle },
      activities: createActivities(clients),
      identity: `${config.requestedBy}/${process.pid}`,
      // A workflow that a dead worker held would otherwise wait 10 s for it.
      stickyQueueScheduleToStartTimeout: '1s',
      shutdownGraceTime: `${GRACE_SECONDS}s`,
      shutdownForceTime: `${GRACE_SECONDS + 10}s`,
      maxConcurrentActivityTaskExecutions: 200,
      maxConcurrentWorkflowTaskExecutions: 40,
      maxHeartbeatThrottleInterval: '2s',
      defaultHeartbeatThrottleInterval: '2s',
    });
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    });
    await worker.run();
  } finally {
    await clients.close();
    await closeTemporal(client);
    await connection.close();
  }
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
