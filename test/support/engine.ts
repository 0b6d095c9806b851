/** A Temporal dev server in memory and a worker with fake activities, for tests of workflows alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { DYNAMIC_CONFIG } from '../../bootstrap/engine/index.ts';
import { claimPorts } from '../../bootstrap/process/ports.ts';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { acquireTools } from '../../bootstrap/tools/index.ts';
import { encryptedFailuresPath, workflowBuild } from '../../src/clients/temporal/bundle.ts';
import { historyCodec } from '../../src/clients/temporal/encryption/index.ts';
import { closeTemporal, connectTemporal } from '../../src/clients/temporal/index.ts';
import { readConfig } from '../../src/config.ts';
import type { Activities } from '../../src/contract/activities.ts';
import { ENGINE_NAMESPACE, taskQueueOf } from '../../src/contract/names.ts';
import { SEARCH_ATTRIBUTE_TYPES } from '../../src/contract/search-attributes.ts';
import type { Tracing } from '../../src/clients/telemetry/tracing.ts';
import type { EncryptionConnection } from '../../src/environment/connections.ts';
import type { Environment } from '../../src/environment/schema.ts';
import { installRuntime } from '../../src/worker/runtime.ts';
import { leanWorkflows } from './lean-workflows.ts';
import { withCompletePlans } from './plans.ts';

/** Of other teams, on the same engine: one that is made later is known everywhere only after seconds. */
export const CALLERS_NAMESPACE = 'payments';

/** A tenth less to compute than with the four that each task queue has by default; nothing is in them yet. */
const ONE_PARTITION = { 'matching.numTaskqueueReadPartitions': '1', 'matching.numTaskqueueWritePartitions': '1' };

export interface TestEngine {
  client: Client;
  address: string;
  /** Serves the task queue of an environment (`test`) with these activities while `work` runs. */
  withWorker: <T>(
    activities: Activities,
    work: () => Promise<T>,
    environment?: string,
    more?: Pick<WorkerOptions, 'nexusServices'>,
  ) => Promise<T>;
  close: () => Promise<void>;
}

export interface TestEngineOptions extends Pick<Environment, 'telemetry'> {
  /** Of this process, started before: client and worker make spans. */
  tracing?: Tracing;
  /** Client and worker have these keys. */
  encryption?: EncryptionConnection;
}

let runtime: Promise<string | undefined> | undefined;

/** The SDK's native part, of which a process has one. */
export async function quietRuntime(telemetry?: Environment['telemetry']): Promise<void> {
  if (runtime === undefined) leanWorkflows();
  runtime ??= installRuntime({ name: 'test', telemetry }, new DefaultLogger('ERROR'));
  const problem = await runtime;
  if (problem !== undefined) throw new Error(problem);
}

let shared: Promise<TestEngine> | undefined;
let users = 0;

/** Of all files of a process the same one, until the last of them closes it; with options it is the caller's alone. */
export async function startTestEngine(options?: TestEngineOptions): Promise<TestEngine> {
  if (options !== undefined) return startEngine(options);
  users += 1;
  shared ??= startEngine({});
  const engine = await shared;
  const close = async (): Promise<void> => {
    users -= 1;
    if (users > 0) return;
    shared = undefined;
    await engine.close();
  };
  return { ...engine, close };
}

let clusters = 0;

/** A lock of its own for every test: files share an engine. */
export function newClusterUid(): string {
  clusters += 1;
  return `${String(clusters).padStart(8, '0')}-uid`;
}

/** With `telemetry` of the environment that the worker serves: Prometheus' address is taken once in a process. */
async function startEngine({ telemetry, tracing, encryption }: TestEngineOptions): Promise<TestEngine> {
  const config = readConfig();
  await quietRuntime(telemetry);
  const temporal = await acquireTools({ names: ['temporal'], cacheDir: config.cacheDir, env: config.childEnv }).get(
    'temporal',
  );
  const folder = await mkdtemp(join(tmpdir(), 'ananta-engine-'));
  const { engine: port } = await claimPorts({
    file: join(folder, 'ports.json'),
    names: ['engine'],
    inUseByUs: new Set(),
  });
  await rm(folder, { recursive: true });
  const server: ChildProcess = spawn(
    temporal.path,
    [
      'server',
      'start-dev',
      '--headless',
      '--ip',
      '127.0.0.1',
      '--port',
      String(port),
      '--log-level',
      'error',
      '--namespace',
      ENGINE_NAMESPACE,
      '--namespace',
      CALLERS_NAMESPACE,
      ...Object.entries({ ...DYNAMIC_CONFIG, ...ONE_PARTITION }).flatMap(([key, value]) => [
        '--dynamic-config-value',
        `${key}=${value}`,
      ]),
      ...Object.entries(SEARCH_ATTRIBUTE_TYPES).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    ],
    // The server lives for seconds: memory costs less than garbage collection.
    { stdio: 'ignore', env: { HOME: tmpdir(), PATH: '', GOGC: '800' } },
  );
  const address = `127.0.0.1:${port}`;
  const engine = { address, namespace: ENGINE_NAMESPACE, ...(encryption === undefined ? {} : { encryption }) };
  const client = await waitUntil('the engine', { timeoutMs: 30_000, intervalMs: 100 }, async () => {
    try {
      const candidate = await connectTemporal(engine, 2);
      await candidate.workflowService.describeNamespace({ namespace: ENGINE_NAMESPACE });
      await candidate.workflow.count(`AnantaEnvironment = 'x'`);
      return candidate;
    } catch {
      return undefined;
    }
  });
  const [connection, { path: codePath }, { codec }] = await Promise.all([
    NativeConnection.connect({ address }),
    workflowBuild(config.repoRoot, config.stateRoot, {
      traced: tracing !== undefined,
      encrypted: encryption !== undefined,
    }),
    historyCodec(engine),
  ]);
  return {
    client,
    address,
    withWorker: async (activities, work, environment = 'test', more = {}) => {
      const worker = await Worker.create({
        connection,
        namespace: ENGINE_NAMESPACE,
        taskQueue: taskQueueOf(environment),
        workflowBundle: { codePath },
        activities: withCompletePlans(activities),
        ...more,
        stickyQueueScheduleToStartTimeout: '1s',
        maxHeartbeatThrottleInterval: '1s',
        // Workflows run in the thread of the tests: to start another one, with all modules and the bundle, takes ten
        // times as long as everything else that a worker needs, and each test has workers of its own.
        debugMode: true,
        ...(tracing === undefined ? {} : { plugins: [tracing.plugin] }),
        dataConverter: {
          payloadCodecs: [codec],
          ...(encryption === undefined ? {} : { failureConverterPath: encryptedFailuresPath(config.repoRoot) }),
        },
      });
      return worker.runUntil(work);
    },
    close: async () => {
      await closeTemporal(client);
      await connection.close();
      server.kill('SIGKILL');
    },
  };
}
