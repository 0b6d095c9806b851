/** Starts what is not running, leaves alone what is. */
import type { Config } from '../src/config.ts';
import { type Runtime, runtimeFile } from '../src/environment/connections.ts';
import { loadPlatform } from '../src/environment/platform.ts';
import type { Environment } from '../src/environment/schema.ts';
import {
  CLUSTER_COMPONENTS,
  clusterComponent,
  clusterDigest,
  type Api,
  createCluster,
  openApi,
  recordedComponents,
  tellKwokctl,
} from './cluster/index.ts';
import type { RecordedComponent } from './cluster/create.ts';
import { applyContents, awaitUsable, contentsOf, nodeIsReady } from './cluster/contents.ts';
import { type Component, awaitReadyOrRestart, ensureComponent, isOutdated } from './component.ts';
import { setUpEngine } from './engine/index.ts';
import { type LocalStack, clusterTools, componentOf, openLocalStack, partsOf, runtimeOf } from './local-stack.ts';
import { upKind } from './kind/index.ts';
import { type ComponentName, layoutOf, lockOf, pidFileOf } from './layout.ts';
import { withComponentsLock } from './components-lock.ts';
import { withLock } from './process/lock.ts';
import { NODE_NAME, checkNodeRequirements, ensurePauseImage } from './node/index.ts';
import { endProcess, recordDaemon, runningDaemon, startDaemon, stopDaemon } from './process/daemon.ts';
import { waitWhileMoving } from './process/wait.ts';
import { privateFolder, readText, writeFileDurably } from './process/files.ts';
import type { Report } from './report.ts';
import { proveStarted } from './simulator.ts';
import { type StartedWatch, watchStarted } from './supervise.ts';
import { vitalsIn } from './vitals.ts';
import { runningWorkflows } from './worker/index.ts';
import { workerNotes } from './worker/notes.ts';

export interface UpOptions {
  signal?: AbortSignal | undefined;
  /** False where a test brings its own worker. */
  worker?: boolean;
}

/**
 * Gets the tools and starts engine, cluster, Vault, responder and worker, each as soon as its own tools are there.
 * Safe to repeat: with everything running it changes nothing. After a power cut it starts on the data that is there.
 * @returns what it wrote to `runtime.json`
 * @throws ToolsUnavailableError, ComponentError: what did start goes on running, the next `up` builds on it
 */
export async function up(
  environment: Environment,
  config: Config,
  report: Report,
  options: UpOptions = {},
): Promise<Runtime> {
  const { signal, worker = true } = options;
  const layout = layoutOf(config, environment.name);
  // Only the user may read this folder: it holds keys to everything.
  await privateFolder(layout.root);
  await privateFolder(layout.run);
  return withComponentsLock(layout, report, signal, async () => {
    // Checked first: without Docker or podman nothing else can work.
    const catalog = await loadPlatform(environment, config);
    const kind = 'kind' in environment.cluster ? await upKind(environment, catalog, config, report, signal) : undefined;
    if (partsOf(environment, catalog).node) await checkNodeRequirements(layout.root);
    const stack = await openLocalStack(environment, config, { report, signal, ports: 'claim' });
    const watch = watchStarted(environment, config, report);
    try {
      return await startAll({ stack, report, signal, watch }, kind, worker, config);
    } finally {
      await watch.end();
    }
  });
}

interface Starting {
  stack: LocalStack;
  report: Report;
  signal: AbortSignal | undefined;
  /** Called with what has been started. */
  watch: StartedWatch;
}

async function startAll(
  starting: Starting,
  kind: Parameters<typeof runtimeOf>[1],
  worker: boolean,
  config: Config,
): Promise<Runtime> {
  const { stack, report, signal } = starting;
  const { layout, parts, environment } = stack;
  const starts: Promise<unknown>[] = [];
  if (parts.engine) starts.push(startEngine(starting));
  if (parts.vault) starts.push(startOne(starting, 'vault'));
  const cluster = parts.cluster ? startCluster(starting) : undefined;
  if (cluster !== undefined) starts.push(startOne(starting, 'responder'), cluster);
  await allOrFirstError(starts);
  const runtime = await runtimeOf(stack, kind);
  await writeIfChanged(runtimeFile(config, environment.name), `${JSON.stringify(runtime, undefined, 2)}\n`);
  const rest: Promise<unknown>[] = [];
  if (worker && parts.worker) rest.push(startWorker(stack, report, signal));
  if ((await cluster) === true) rest.push(proveStarted(layout, report, signal));
  await allOrFirstError(rest);
  return runtime;
}

async function startOne({ stack, report, signal, watch }: Starting, name: ComponentName): Promise<void> {
  const component = await componentOf(stack, name);
  if (component === undefined) return;
  await ensureComponent(stack.layout, component, { report, signal, replaceOutdated: true });
  watch.started(name);
}

async function startEngine(starting: Starting): Promise<void> {
  await startOne(starting, 'temporal');
  await setUpEngine(starting.stack.layout, starting.stack.ports);
}

/** @returns whether any part of it had to be started */
async function startCluster(starting: Starting): Promise<boolean> {
  const { stack, report, signal, watch } = starting;
  const { layout, catalog, environment, ports, network } = stack;
  const tools = await clusterTools(stack.tools);
  const recorded = await recordedComponents(layout, clusterDigest(layout, tools, ports, network));
  const made = recorded === undefined ? await makeCluster(stack, report, signal) : undefined;
  const components = (made?.components ?? recorded ?? []).map((component) =>
    clusterComponent(layout, tools, ports, component),
  );
  const started = made?.started === true || (await startControlPlane(stack, components, report, signal));
  watch.started(...CLUSTER_COMPONENTS);
  const api = await openApi(layout);
  try {
    const contents = contentsOf(catalog, environment, ports, network);
    const applied = await applyContents(layout, api, contents, started);
    if (started || applied) await awaitUsable(api, contents.nodes, vitalsIn(layout), signal);
    if (network !== undefined) await startNode(starting, api);
    return started;
  } finally {
    api.close();
  }
}

/** The cluster answers already: kubelet has to find it. */
async function startNode(starting: Starting, api: Api): Promise<void> {
  const { stack, signal } = starting;
  await startOne(starting, 'node-agent');
  await startOne(starting, 'containerd');
  await ensurePauseImage(stack.layout);
  await allOrFirstError((['kubelet', 'kube-proxy', 'coredns'] as const).map((name) => startOne(starting, name)));
  const vitals = vitalsIn(stack.layout);
  await waitWhileMoving(
    `node ${NODE_NAME} is ready`,
    {
      standstillMs: 60_000,
      intervalMs: 200,
      signal,
      signs: async () => `kubelet: ${await vitals('kubelet')}; containerd: ${await vitals('containerd')}`,
    },
    () => nodeIsReady(api, NODE_NAME),
  );
}

async function startControlPlane(
  stack: LocalStack,
  components: readonly Component[],
  report: Report,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const start = async (component: Component): Promise<boolean> => {
    const started = await ensureComponent(stack.layout, component, { report, signal, replaceOutdated: true });
    const running = started ? await runningDaemon(component.spec.pidFile) : undefined;
    if (running !== undefined) await tellKwokctl(stack.layout, component.name, running.pid);
    return started;
  };
  const named = (name: string): Component[] => components.filter((component) => component.name === name);
  // Each waits for what it needs; the rest come up side by side.
  const first = [...(await inOrder(named('etcd'), start)), ...(await inOrder(named('kube-apiserver'), start))];
  const rest = await Promise.all(
    components.filter(({ name }) => name !== 'etcd' && name !== 'kube-apiserver').map(start),
  );
  return [...first, ...rest].some(Boolean);
}

async function inOrder<T>(components: readonly Component[], start: (component: Component) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (const component of components) results.push(await start(component));
  return results;
}

interface MadeCluster {
  components: RecordedComponent[];
  started: boolean;
}

/** The locks of all components are held, so that no other process restarts one meanwhile. */
async function makeCluster(stack: LocalStack, report: Report, signal: AbortSignal | undefined): Promise<MadeCluster> {
  const { layout, ports, network } = stack;
  const tools = await clusterTools(stack.tools);
  const underLocks = CLUSTER_COMPONENTS.reduceRight<() => Promise<MadeCluster>>(
    (inner, name) => () => withLock(lockOf(layout, name), { signal }, inner),
    async () => {
      const began = performance.now();
      for (const name of [...CLUSTER_COMPONENTS].reverse()) await stopDaemon(pidFileOf(layout, name), 10_000);
      for (const component of CLUSTER_COMPONENTS) report({ kind: 'component', component, state: 'starting' });
      const { components, pids } = await createCluster(layout, tools, ports, network);
      if (pids.size === 0) return { components, started: false };
      await Promise.all(
        components.map(async (recorded) => {
          const component = clusterComponent(layout, tools, ports, recorded);
          const pid = pids.get(recorded.name);
          if (pid === undefined) throw new Error(`kwokctl has not started ${recorded.name}`);
          const record = await recordDaemon(component.spec, pid);
          if (component.name === 'kwok-controller') {
            // The simulator started before its custom resources existed, and would look for them again only after 5 s.
            await endProcess(record, 0);
            await tellKwokctl(layout, component.name, (await startDaemon(component.spec)).pid);
          }
          const begun = (await runningDaemon(component.spec.pidFile)) ?? record;
          await awaitReadyOrRestart(component, begun, { report, signal });
          const running = await runningDaemon(component.spec.pidFile);
          if (running !== undefined && running.pid !== begun.pid)
            await tellKwokctl(layout, component.name, running.pid);
          report({
            kind: 'component',
            component: component.name,
            state: 'ready',
            seconds: (performance.now() - began) / 1000,
          });
        }),
      );
      return { components, started: true };
    },
  );
  return underLocks();
}

async function startWorker(stack: LocalStack, report: Report, signal: AbortSignal | undefined): Promise<void> {
  const component = (await componentOf(stack, 'worker')) as Component;
  const running = await runningDaemon(component.spec.pidFile);
  const outdated = running !== undefined && isOutdated(running, component.spec);
  const busy = outdated ? await runningWorkflows(stack.layout, stack.ports) : 0;
  for (const message of workerNotes(running, component.spec, busy)) report({ kind: 'note', message });
  await ensureComponent(stack.layout, component, { report, signal, replaceOutdated: busy === 0 });
}

/** Waits for all, so that nothing goes on in the background when the first error is thrown. */
async function allOrFirstError(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1)
    throw new AggregateError(
      failures,
      failures.map((failure) => (failure instanceof Error ? failure.message : String(failure))).join('\n'),
    );
}

async function writeIfChanged(path: string, content: string): Promise<void> {
  if ((await readText(path)) !== content) await writeFileDurably(path, content);
}
