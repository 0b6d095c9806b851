/** The worker of an embedded environment, started in the background. */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../src/config.ts';
import { z } from 'zod';
import { ENGINE_NAMESPACE, isLockId, taskQueueOf } from '../../src/contract/names.ts';
import { referencesOf } from '../../src/plan/references.ts';
import { type Component, daemonSpec } from '../component.ts';
import { engineAddresses } from '../engine/index.ts';
import { type Layout, layoutOf, pidFileOf } from '../layout.ts';
import { runningDaemon } from '../process/daemon.ts';
import { type Ports, readPorts } from '../process/ports.ts';
import { expectOk } from '../process/probe.ts';

/** Longer than the worker waits for its activities when it shuts down. */
const GRACE_MS = 35_000;

export interface WorkerBasis {
  /** The product's version. */
  version: string;
  /** The settings that the worker reads once, at its start: when they change, it has to be restarted. */
  settings: string;
  /** Its kubeconfig logs in by a plug-in, which may read any environment variable of the process that starts it. */
  logsInByPlugin: boolean;
  /** The environment variables that its file refers to are passed on to the worker. */
  environment: Parameters<typeof referencesOf>[0];
}

export async function workerComponent(
  layout: Layout,
  config: Config,
  ports: Ports,
  { version, settings, logsInByPlugin, environment }: WorkerBasis,
): Promise<Component> {
  return {
    name: 'worker',
    standstillMs: 60_000,
    graceMs: GRACE_MS,
    spec: daemonSpec(layout, 'worker', {
      command: process.execPath,
      args: [
        '--disable-warning=ExperimentalWarning',
        join(config.repoRoot, 'src', 'worker.ts'),
        '--env',
        layout.environment,
      ],
      env: workerEnvironment(config, logsInByPlugin, environment),
      ...(logsInByPlugin ? { variables: Object.keys(config.loginEnv).sort() } : {}),
      cwd: config.repoRoot,
      version,
      port: null,
      build: createHash('sha256')
        .update(await sourceDigest(config.repoRoot))
        .update(settings)
        .digest('hex')
        .slice(0, 16),
    }),
    check: workerCheck(layout, ports),
  };
}

/** The worker has to read the same configuration as the command that starts it. */
function workerEnvironment(
  config: Config,
  logsInByPlugin: boolean,
  environment: WorkerBasis['environment'],
): Record<string, string> {
  const named = referencesOf(environment).flatMap(({ reference }) => ('env' in reference ? [reference.env] : []));
  return {
    ...Object.fromEntries(
      named.flatMap((name) => (config.userEnv[name] === undefined ? [] : [[name, config.userEnv[name]]])),
    ),
    ...(logsInByPlugin ? config.loginEnv : {}),
    ...config.childEnv,
    ...config.otel,
    ANANTA_STATE_DIR: config.stateRoot,
    ANANTA_CACHE_DIR: config.cacheDir,
    ANANTA_ENVIRONMENTS_DIR: config.environmentsDir,
    KUBECONFIG: config.kubeconfig,
    NODE_COMPILE_CACHE: join(config.stateRoot, 'cache', 'node'),
    SWC_NATIVE_BINDING_CACHE: join(config.stateRoot, 'cache', 'swc'),
  };
}

/** It works when the engine lists exactly this process among its pollers. */
export function workerCheck(layout: Layout, ports: Ports): () => Promise<string> {
  return async () => {
    const record = await runningDaemon(pidFileOf(layout, 'worker'));
    if (record === undefined) throw new Error('it is not running');
    const taskQueue = taskQueueOf(layout.environment);
    const queue = `${engineAddresses(ports).httpAddress}/api/v1/namespaces/${ENGINE_NAMESPACE}/task-queues/${encodeURIComponent(taskQueue)}?taskQueueType=TASK_QUEUE_TYPE_WORKFLOW`;
    const { pollers = [] } = JSON.parse(await expectOk({ url: queue })) as { pollers?: { identity?: string }[] };
    // In the worker's identity a tag follows the process id; it tells one start of the worker from the next.
    const ofThisProcess = new RegExp(`/${record.pid}(#|$)`);
    if (!pollers.some(({ identity }) => ofThisProcess.test(identity ?? '')))
      throw new Error('it has not asked the task queue for work yet');
    return `polls ${taskQueue}`;
  };
}

/**
 * Operations on this environment that run now: their worker is not replaced under them. Others may use the engine, too.
 */
export async function runningWorkflows(layout: Layout, ports: Ports): Promise<number> {
  const query = encodeURIComponent(`ExecutionStatus = 'Running' AND TaskQueue = '${taskQueueOf(layout.environment)}'`);
  const { count = '0' } = JSON.parse(
    await expectOk({
      url: `${engineAddresses(ports).httpAddress}/api/v1/namespaces/${ENGINE_NAMESPACE}/workflow-count?query=${query}`,
    }),
  ) as { count?: string };
  return Number(count);
}

/** Operations that hold a lock of this environment now, by their workflow ids. Never throws: an engine may be down. */
export async function runningOperations(config: Config, environment: string): Promise<string[]> {
  const layout = layoutOf(config, environment);
  if ((await runningDaemon(pidFileOf(layout, 'temporal'))) === undefined) return [];
  const query = encodeURIComponent(`ExecutionStatus = 'Running' AND TaskQueue = '${taskQueueOf(environment)}'`);
  try {
    const { httpAddress } = engineAddresses(await readPorts(layout.ports));
    const url = `${httpAddress}/api/v1/namespaces/${ENGINE_NAMESPACE}/workflows?query=${query}`;
    const answer = executionsSchema.parse(JSON.parse(await expectOk({ url })));
    return answer.executions.map(({ execution }) => execution.workflowId).filter(isLockId);
  } catch {
    return [];
  }
}

const executionsSchema = z.object({
  executions: z.array(z.object({ execution: z.object({ workflowId: z.string() }) })).default([]),
});

/** Of the code that the worker runs: source and dependencies. */
async function sourceDigest(repoRoot: string): Promise<string> {
  const hash = createHash('sha256');
  const source = join(repoRoot, 'src');
  const files = (await readdir(source, { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
  const contents = await Promise.all(
    [...files.map((file) => join(source, file)), join(repoRoot, 'package-lock.json')].map((file) => readFile(file)),
  );
  for (const [index, content] of contents.entries())
    hash
      .update(files[index] ?? 'package-lock.json')
      .update('\0')
      .update(content);
  return hash.digest('hex').slice(0, 16);
}
