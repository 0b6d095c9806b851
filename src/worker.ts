/**
 * The worker of one environment: connects its clients, serves the task queue until it is asked to stop.
 *
 *   node src/worker.ts --env NAME
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { ServiceHandler } from 'nexus-rpc';
import { createActivities } from './activities/index.ts';
import type { Tracing } from './clients/telemetry/tracing.ts';
import { temporalScope } from './activities/scope.ts';
import { type Clients, createClients } from './clients/index.ts';
import { encryptedFailuresPath, olderBundle, workflowBuild } from './clients/temporal/bundle.ts';
import { EngineAccessError, isRunAlive } from './clients/temporal/index.ts';
import { workerIdentities } from './clients/temporal/workers.ts';
import { type Config, keepLoopbackDirect, readConfig } from './config.ts';
import { AnantaError } from './contract/errors.ts';
import { metricsOf } from './contract/metrics.ts';
import { taskQueueOf } from './contract/names.ts';
import { currentEnvironment } from './effects/environment.ts';
import { resolveConnections } from './environment/connections.ts';
import { loadEnvironment } from './environment/load.ts';
import type { AnswerSettings } from './environment/fields/notify.ts';
import { type TraceSettings, tracesOf } from './environment/fields/telemetry.ts';
import { contentDigest, identityWithContent } from './plan/inputs/content.ts';
import { platformInputs } from './plan/inputs/platform-inputs.ts';
import { processTag } from './process/owner.ts';
import type { AnswersStarted } from './worker/answers/start.ts';
import { type EngineLink, openEngineLink } from './worker/engine-link.ts';
import { openHistories } from './worker/histories.ts';
import { installRuntime } from './worker/runtime.ts';
import { beginAtZero } from './worker/zeros.ts';
import { reconcileEndpoint } from './worker/nexus/endpoint.ts';
import { createServing, type Serving } from './worker/serving.ts';
import { serveHealth } from './worker-health.ts';

/** Seconds that running activities get to end in good order: longer than Helm needs to put a release into `failed`. */
const GRACE_SECONDS = 20;

/** @param helm path of the Helm to use, where it is not the one that the local stack of this environment brought */
export async function runWorker(environmentName: string, helm?: string): Promise<void> {
  const config = readConfig();
  const environment = await loadEnvironment(environmentName, config);
  const resolved = await resolveConnections(environment, config);
  const connections = helm === undefined ? resolved : { ...resolved, helm };
  const say = (text: string): void => {
    process.stdout.write(`${new Date().toISOString()} ${text}\n`);
  };
  const settings = tracesOf(environment, config.otel);
  const tracing = settings && (await tracingOf(settings, environment.name, config));
  const noMetrics = await installRuntime(environment, lineLogger());
  if (noMetrics !== undefined) say(noMetrics);
  const metrics = metricsOf(Runtime.instance().metricMeter);
  let serving: Serving | undefined;
  const encrypts = connections.engine.encryption?.mode === 'encrypt';
  const [build, engine] = await Promise.all([
    workflowBuild(config.repoRoot, config.stateRoot, { traced: tracing !== undefined, encrypted: encrypts }),
    openEngineLink(environmentName, connections.engine, {
      say,
      onReconnect: (connection) => {
        serving?.reconnect(connection);
      },
    }),
  ]);
  const histories = await openHistories(environmentName, connections.engine, engine, {
    say,
    stop: () => {
      serving?.shutdown();
    },
  });
  const graceSeconds = config.pod?.graceSeconds ?? GRACE_SECONDS;
  const made = await createClients(environment, connections, config, {
    isRunAlive: (run) => isRunAlive(engine.client, run.workflowId, run.runId),
  });
  const clients: Clients = {
    ...made,
    get engine() {
      return engine.client;
    },
  };
  try {
    const identity = await identityOf(clients);
    serving = await createServing({
      environment: environmentName,
      engine,
      namespace: connections.engine.namespace,
      build,
      identity,
      say,
      olderBundle: (buildId) => olderBundle(buildId, config.stateRoot, config.pod?.workflowsDir),
      worker: {
        activities: createActivities(clients, temporalScope, metrics),
        ...(environment.nexus ? { nexusServices: [await nexusOf(clients, engine)] } : {}),
        ...(tracing === undefined ? {} : { plugins: [tracing.plugin] }),
        dataConverter: {
          payloadCodecs: [histories.codec],
          ...(encrypts ? { failureConverterPath: encryptedFailuresPath(config.repoRoot) } : {}),
        },
        // A workflow that a dead worker held would otherwise wait 10 s for it.
        stickyQueueScheduleToStartTimeout: '1s',
        shutdownGraceTime: `${graceSeconds}s`,
        shutdownForceTime: `${graceSeconds + 10}s`,
        maxConcurrentActivityTaskExecutions: 200,
        maxConcurrentWorkflowTaskExecutions: 40,
        maxHeartbeatThrottleInterval: '2s',
        defaultHeartbeatThrottleInterval: '2s',
      },
    });
    for (const line of await reconcileEndpoint(engine.client, environment, connections.engine.namespace)) say(line);
    metrics.set('ananta_worker_info', 1, { build: build.buildId });
    const { namespace } = connections.engine;
    beginAtZero(Runtime.instance().metricMeter, { namespace, taskQueue: taskQueueOf(environmentName) });
    // For good: where no listener is left, the library that starts Helm takes the signal for the end of the process,
    // and ends both.
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        serving?.shutdown();
      });
    const health = config.pod && (await sayHealth(serving, engine, environmentName, identity, config.pod.healthPort));
    const answers = environment.notify.links && (await takeAnswers(clients, engine, environment.notify.links, say));
    await serving.run().finally(() => {
      health?.close();
      answers?.close();
    });
    histories.throwIfUnfit();
  } finally {
    await clients.close();
    await engine.close();
    const problem = await tracing?.close();
    if (problem !== undefined) say(`Spans could not be sent: ${problem}`);
  }
}

/** Loaded late: most workers make no traces. */
async function tracingOf(settings: TraceSettings, environment: string, { otel, repoRoot }: Config): Promise<Tracing> {
  const { startTracing } = await import('./clients/telemetry/tracing.ts');
  const { version } = JSON.parse(await readFile(join(repoRoot, 'package.json'), 'utf8')) as { version: string };
  return startTracing(settings, { service: 'ananta-worker', version, environment, variables: otel });
}

/** Loaded late, as above. */
async function takeAnswers(
  clients: Clients,
  engine: EngineLink,
  links: AnswerSettings,
  say: (text: string) => void,
): Promise<AnswersStarted | undefined> {
  const { startAnswers } = await import('./worker/answers/start.ts');
  return startAnswers(clients, engine, links, say);
}

/** Loaded late, as above. */
async function nexusOf(clients: Clients, engine: EngineLink): Promise<ServiceHandler> {
  const { nexusService } = await import('./worker/nexus/service.ts');
  return nexusService({ clients, engine, environment: () => currentEnvironment(clients) });
}

/** A line for each event of the SDK, without its stack traces. */
function lineLogger(): DefaultLogger {
  return new DefaultLogger('INFO', ({ level, timestampNanos, message, meta }) => {
    const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
    const { error, workflowId, activityType, attempt } = (meta ?? {}) as {
      error?: unknown;
      workflowId?: string;
      activityType?: string;
      attempt?: number;
    };
    const where = [workflowId, activityType, attempt === undefined ? undefined : `attempt ${attempt}`]
      .filter((part) => part !== undefined)
      .join(' ');
    process.stdout.write(
      `${time} ${level} ${message}${where ? ` (${where})` : ''}${error instanceof Error ? `: ${error.message}` : ''}\n`,
    );
  });
}

/**
 * A worker in the cluster also says what it would deploy: it cannot see the checkout of whoever asks for a deployment.
 */
async function identityOf({ catalog, environment, config }: Clients): Promise<string> {
  const identity = `${config.requestedBy}/${process.pid}#${await processTag()}`;
  return config.pod
    ? identityWithContent(
        await contentDigest(catalog, environment, platformInputs(catalog, environment, config)),
        identity,
      )
    : identity;
}

const LOOK_MILLISECONDS = 10_000;
const FIRST_LOOKS_MILLISECONDS = 1000;

/** Asks the engine whether it lists this worker, and answers the kubelet's probes with that. */
async function sayHealth(
  serving: Serving,
  engine: EngineLink,
  environment: string,
  identity: string,
  port: number,
): Promise<{ close: () => void }> {
  let seenAt: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const look = async (): Promise<void> => {
    const found = await workerIdentities(engine.client, taskQueueOf(environment)).catch(() => []);
    const at = found.find((poller) => poller.identity === identity)?.seenAt;
    if (at !== undefined) seenAt = Math.max(seenAt ?? 0, at);
    timer = setTimeout(() => void look(), seenAt === undefined ? FIRST_LOOKS_MILLISECONDS : LOOK_MILLISECONDS).unref();
  };
  const server = await serveHealth(port, () => ({ state: serving.state(), seenAt }));
  void look();
  return {
    close: () => {
      clearTimeout(timer);
      server.close();
    },
  };
}

if (import.meta.main) {
  keepLoopbackDirect();
  const { values } = parseArgs({ options: { env: { type: 'string' } } });
  if (values.env === undefined) {
    process.stderr.write('worker: --env NAME is missing\n');
    process.exit(3);
  }
  try {
    await runWorker(values.env);
  } catch (error) {
    if (error instanceof EngineAccessError) {
      process.stderr.write(`worker: ${[error.message, ...error.next.map((line) => `Next: ${line}`)].join('\n')}\n`);
      process.exit(3);
    }
    process.stderr.write(
      `worker: ${error instanceof AnantaError ? error.explain() : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exit(1);
  }
  process.exit(0);
}
