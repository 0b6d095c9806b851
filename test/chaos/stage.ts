/**
 * Where runs take place: one sandbox of the small platform for many of them, an engine with its database in a file, two
 * workers, each behind a way of its own to engine and API server, and somebody else on the cluster.
 */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { stringify } from 'yaml';
import { layoutOf, superviseWhile } from '../../bootstrap/index.ts';
import { claimPorts } from '../../bootstrap/process/ports.ts';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { acquireTools } from '../../bootstrap/tools/index.ts';
import { ensureEngine } from '../../src/clients/temporal/connection/setup.ts';
import { closeTemporal, connectTemporal } from '../../src/clients/temporal/index.ts';
import type { KubernetesClient } from '../../src/clients/kubernetes/index.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { ENGINE_NAMESPACE } from '../../src/contract/names.ts';
import { readRuntime, runtimeFile } from '../../src/environment/connections.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { shareCaches } from '../support/caches.ts';
import { type ApiProxy, apiProxy } from '../../bootstrap/faults/api-proxy.ts';
import { type TcpProxy, tcpProxy } from '../../bootstrap/faults/tcp-proxy.ts';
import { askForWork } from '../support/workers/pollers.ts';
import { type Bystander, bystanderOn } from '../support/sandbox/bystander.ts';
import { clusterOf } from '../support/sandbox/cluster-facts.ts';
import { createSandbox, MINI, type Sandbox } from '../support/sandbox/sandbox.ts';
import { type Kept, keepRunning } from './kept.ts';
import type { Link } from './scenario.ts';

export interface Stage {
  sandbox: Sandbox;
  /** Of commands. */
  config: Config;
  /** Connected to the engine itself, not through a proxy that may be cut. */
  client: Client;
  kubernetes: KubernetesClient;
  bystander: Pick<Bystander, 'assertUntouched'>;
  workers: Record<'worker-1' | 'worker-2', Kept>;
  temporal: Kept;
  links: Record<Link, TcpProxy>;
  apiProxies: Record<1 | 2, ApiProxy>;
  /** Port of etcd's clients. */
  etcdPort: number;
  /** State folders of the workers: a Helm process belongs to the worker whose folder it names. */
  states: string[];
  /** Logs of workers and engine. */
  folder: string;
  /** Of the second worker, where a library that can do so is given; seconds beside the right time. */
  setClock: (by: number) => Promise<void>;
  close: () => Promise<void>;
}

export const NAME = 'chaos';
const WORKERS = [1, 2] as const;

/** Shorter than the default, so that a test of something that hangs ends soon. */
const SETTINGS = { ...MINI, drift: { mode: 'off' }, simulation: { factor: 0.05 }, helm: { timeoutSeconds: 60 } };

/** @param faketime path of libfaketime's library for programs with threads: the second worker's clock can be set */
export async function openStage(faketime?: string): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'ananta-chaos-'));
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of closing.reverse()) await step().catch(() => undefined);
  };
  try {
    const { port, temporal } = await engineIn(folder);
    closing.push(() => temporal.close());
    const engineOf = async (): Promise<TcpProxy> => {
      const proxy = await tcpProxy(() => port);
      closing.push(() => proxy.close());
      return proxy;
    };
    const [first, second, command] = [await engineOf(), await engineOf(), await engineOf()];
    const engine = { address: `127.0.0.1:${port}`, namespace: ENGINE_NAMESPACE };
    await waitUntil('the engine', { timeoutMs: 120_000, intervalMs: 200 }, () =>
      ensureEngine(engine).then(
        () => true,
        () => undefined,
      ),
    );
    const client = await connectTemporal(engine);
    closing.push(() => closeTemporal(client));

    const settings = { ...SETTINGS, vault: { keys: { store: 'file', path: join(folder, 'vault-keys.json') } } };
    const behind = (proxy: TcpProxy): Record<string, unknown> => ({
      ...settings,
      engine: { address: `127.0.0.1:${proxy.port}`, namespace: ENGINE_NAMESPACE },
    });
    const sandbox = await createSandbox(behind(command), { name: NAME });
    closing.push(() => sandbox.close());
    const up = await sandbox.look(['up']);
    assert.equal(up.code, 0, up.stderr);
    const config = configOf(join(sandbox.folder, 'state'), join(sandbox.folder, 'environments'));
    const supervising = new AbortController();
    const supervised = superviseWhile(await loadEnvironment(NAME, config), config, supervising.signal, () => undefined);
    closing.push(async () => {
      supervising.abort();
      await supervised;
    });

    const ports = JSON.parse(await readFile(layoutOf(config, NAME).ports, 'utf8')) as Record<string, number>;
    const clock = join(folder, 'clock');
    const setClock = (by: number): Promise<void> => writeFile(clock, `${by < 0 ? '' : '+'}${by}`);
    await setClock(0);
    const parts = await Promise.all(
      WORKERS.map((number) =>
        workerBehind(
          join(folder, `worker-${number}`),
          config,
          ports,
          behind(number === 1 ? first : second),
          number === 2 && faketime !== undefined ? withClock(faketime, clock) : {},
        ),
      ),
    );
    for (const part of parts) closing.push(part.close);
    const [one, two] = parts as [WorkerParts, WorkerParts];
    await askForWork(client, NAME, [one.kept.pid(), two.kept.pid()]);
    const kubernetes = await clusterOf(sandbox);
    closing.push(() => {
      kubernetes.close();
      return Promise.resolve();
    });
    return {
      sandbox,
      config,
      client,
      kubernetes,
      bystander: await bystanderOn(sandbox),
      workers: { 'worker-1': one.kept, 'worker-2': two.kept },
      temporal,
      links: {
        'worker-1 to engine': first,
        'worker-2 to engine': second,
        'command to engine': command,
        'worker-1 to API server': one.front,
        'worker-2 to API server': two.front,
      },
      apiProxies: { 1: one.api, 2: two.api },
      etcdPort: ports['etcd'] ?? 0,
      states: [one.state, two.state],
      folder,
      setClock,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function configOf(state: string, environments: string): Config {
  return readConfig({ ...process.env, ANANTA_STATE_DIR: state, ANANTA_ENVIRONMENTS_DIR: environments });
}

/** A dev server whose database outlives it. */
async function engineIn(folder: string): Promise<{ port: number; temporal: Kept }> {
  const config = readConfig();
  const names = ['engine', 'http', 'metrics'] as const;
  const ports = await claimPorts({ file: join(folder, 'ports.json'), names, inUseByUs: new Set() });
  const { path } = await acquireTools({
    names: ['temporal'],
    cacheDir: config.cacheDir,
    ...(config.toolsMirror === undefined ? {} : { mirror: config.toolsMirror }),
    env: config.childEnv,
  }).get('temporal');
  const port = ports['engine'] ?? 0;
  const pragmas = ['journal_mode=wal', 'synchronous=normal'].flatMap((pragma) => ['--sqlite-pragma', pragma]);
  const temporal = keepRunning({
    command: path,
    args: [
      ...['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port)],
      ...['--http-port', String(ports['http']), '--metrics-port', String(ports['metrics'])],
      ...['--db-filename', join(folder, 'engine.db'), ...pragmas],
      ...['--namespace', ENGINE_NAMESPACE, '--log-level', 'error'],
    ],
    env: { HOME: folder, PATH: '' },
    log: join(folder, 'temporal.log'),
  });
  return { port, temporal };
}

/** The clock of the wall alone: for how long something takes stays as it is, as on a machine whose clock is set. */
function withClock(library: string, file: string): Record<string, string> {
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}

interface WorkerParts {
  kept: Kept;
  front: TcpProxy;
  api: ApiProxy;
  state: string;
  close: () => Promise<void>;
}

/** A worker with a state folder of its own, in which engine and API server are at the addresses of its proxies. */
async function workerBehind(
  folder: string,
  config: Config,
  ports: Record<string, number>,
  settings: Record<string, unknown>,
  more: Record<string, string>,
): Promise<WorkerParts> {
  const [environments, stateRoot] = [join(folder, 'environments'), join(folder, 'state')];
  const state = join(stateRoot, NAME);
  await mkdir(state, { recursive: true, mode: 0o700 });
  await cp(readConfig().environmentsDir, environments, { recursive: true });
  await writeFile(
    join(environments, `${NAME}.yaml`),
    stringify({ extends: 'sandbox', description: 'For a test', ...settings }),
  );
  await shareCaches(stateRoot);
  const api = await apiProxy(
    () => ports['kube-apiserver'] ?? 0,
    join(layoutOf(config, NAME).cluster, 'clusters', 'kwok', 'pki'),
  );
  const front = await tcpProxy(() => api.port);
  const runtime = await readRuntime(config, NAME);
  assert.ok(runtime?.cluster);
  const { kubeconfig, server } = runtime.cluster;
  const text = await readFile(kubeconfig, 'utf8');
  assert.ok(text.includes(server), `${kubeconfig} has another server than ${server}`);
  const own = join(state, 'kubeconfig');
  await writeFile(own, text.replaceAll(server, `https://127.0.0.1:${front.port}`), { mode: 0o600 });
  const ownConfig = configOf(stateRoot, environments);
  await writeFile(runtimeFile(ownConfig, NAME), JSON.stringify({ ...runtime, cluster: { server, kubeconfig: own } }));
  const kept = keepRunning({
    command: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', join(config.repoRoot, 'src', 'worker.ts'), '--env', NAME],
    env: {
      ...process.env,
      ANANTA_STATE_DIR: stateRoot,
      ANANTA_ENVIRONMENTS_DIR: environments,
      ANANTA_CACHE_DIR: config.cacheDir,
      NODE_COMPILE_CACHE: join(config.stateRoot, 'cache', 'node'),
      ...more,
    },
    log: join(folder, 'worker.log'),
  });
  return {
    kept,
    front,
    api,
    state,
    close: async () => {
      await kept.close();
      await front.close();
      await api.close();
    },
  };
}
