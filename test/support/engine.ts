/** A Temporal dev server in memory and a worker with fake activities, for tests of workflows alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { acquireTools } from '../../bootstrap/tools/index.ts';
import { workflowBundle } from '../../src/clients/temporal/bundle.ts';
import { closeTemporal, connectTemporal } from '../../src/clients/temporal/index.ts';
import { readConfig } from '../../src/config.ts';
import type { Activities } from '../../src/contract/activities.ts';
import { ENGINE_NAMESPACE, TASK_QUEUE } from '../../src/contract/names.ts';
import { SEARCH_ATTRIBUTE_TYPES } from '../../src/contract/search-attributes.ts';

export interface TestEngine {
  client: Client;
  address: string;
  /** Serves the task queue with these activities while `work` runs. */
  withWorker: <T>(activities: Activities, work: () => Promise<T>) => Promise<T>;
  close: () => Promise<void>;
}

export async function startTestEngine(): Promise<TestEngine> {
  const config = readConfig();
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const temporal = await acquireTools({ names: ['temporal'], cacheDir: config.cacheDir, env: config.childEnv }).get('temporal');
  const port = await freePort();
  const server: ChildProcess = spawn(temporal.path, [
    'server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'error', '--namespace', ENGINE_NAMESPACE,
    ...Object.entries(SEARCH_ATTRIBUTE_TYPES).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
  ], { stdio: 'ignore', env: { HOME: tmpdir(), PATH: '' } });
  const address = `127.0.0.1:${port}`;
  const engine = { address, namespace: ENGINE_NAMESPACE };
  const client = await waitFor(async () => {
    const candidate = await connectTemporal(engine, 2);
    await candidate.workflowService.describeNamespace({ namespace: ENGINE_NAMESPACE });
    await candidate.workflow.count(`AnantaEnvironment = 'x'`);
    return candidate;
  });
  const [connection, codePath] = await Promise.all([NativeConnection.connect({ address }), workflowBundle(config.repoRoot, tmpdir())]);
  return {
    client,
    address,
    withWorker: async (activities, work) => {
      const worker = await Worker.create({ connection, namespace: ENGINE_NAMESPACE, taskQueue: TASK_QUEUE, workflowBundle: { codePath }, activities, stickyQueueScheduleToStartTimeout: '1s', maxHeartbeatThrottleInterval: '1s' });
      return worker.runUntil(work);
    },
    close: async () => {
      await closeTemporal(client);
      await connection.close();
      server.kill('SIGKILL');
    },
  };
}

async function waitFor<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => { resolve(typeof address === 'object' && address ? address.port : 0); });
    });
  });
}
