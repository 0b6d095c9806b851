/** Stops everything of one environment and keeps its data; purging removes the data, too. */
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../src/config.ts';
import { HISTORY_KEYS_FILE, readRuntime, runtimeFile } from '../src/environment/connections.ts';
import { COMPONENTS, type ComponentName, type Layout, layoutOf, lockOf, pidFileOf } from './layout.ts';
import { withComponentsLock } from './components-lock.ts';
import { withLock } from './process/lock.ts';
import { endContainers, hasNode, nodeLayout, removeNodeNamespaces } from './node/index.ts';
import { endProcess, runningDaemon, stopDaemon } from './process/daemon.ts';
import { isErrorCode } from './process/files.ts';
import type { OrphanProcess } from './process/orphans.ts';
import { processesOfEnvironment } from './processes.ts';
import type { Report } from './report.ts';
import { findInstalledTools } from './tools/index.ts';

/** Those of a row have nothing to do with each other; each row needs the rows after it. */
const ORDER: readonly (readonly ComponentName[])[] = [
  ['worker'],
  // It would start containers again that are being ended.
  ['kubelet'],
  ['containerd', 'kube-proxy', 'coredns', 'node-agent'],
  ['kube-controller-manager', 'kube-scheduler', 'kwok-controller', 'vault', 'responder'],
  // Both take a second, and know nothing of each other.
  ['kube-apiserver', 'temporal'],
  ['etcd'],
];

/** The worker lets its activities end in good order; the others write what they hold and go. */
const GRACE_MS: Partial<Record<ComponentName, number>> = { worker: 35_000 };
const DEFAULT_GRACE_MS = 10_000;

export interface DownOptions {
  signal?: AbortSignal | undefined;
}

/** @returns the components that were running; afterwards no process of this environment is left */
export async function down(
  environment: string,
  config: Config,
  report: Report,
  { signal }: DownOptions = {},
): Promise<ComponentName[]> {
  const layout = layoutOf(config, environment);
  if (!(await exists(layout.root))) return [];
  return withComponentsLock(layout, report, signal, async () => {
    const stopped: ComponentName[] = [];
    const node = nodeLayout(layout);
    for (const row of ORDER) {
      if (row.includes('containerd') && (await hasNode(node))) await endContainers(node);
      await Promise.all(
        row.map(async (component) =>
          withLock(lockOf(layout, component), { signal }, async () => {
            if ((await runningDaemon(pidFileOf(layout, component))) !== undefined)
              report({ kind: 'component', component, state: 'stopping' });
            if (!(await stopDaemon(pidFileOf(layout, component), GRACE_MS[component] ?? DEFAULT_GRACE_MS))) return;
            stopped.push(component);
            report({ kind: 'component', component, state: 'stopped' });
          }),
        ),
      );
    }
    // Whatever still runs in it ends with it.
    await removeNodeNamespaces(node);
    for (const orphan of await orphanProcesses(layout, config)) {
      report({
        kind: 'note',
        message: `Ending process ${orphan.pid}, which nobody had recorded: ${orphan.command.slice(0, 120)}`,
      });
      await endProcess(orphan, DEFAULT_GRACE_MS);
    }
    // Commands that look for the embedded parts from now on report that they do not run.
    await rm(runtimeFile(config, environment), { force: true });
    return COMPONENTS.filter((component) => stopped.includes(component));
  });
}

/** What we have made below an environment's state folder; nothing else is ever removed. */
const OURS = [
  'runtime.json',
  'engine',
  'cluster',
  'vault',
  'vault-keys.json',
  'responder',
  'node',
  'helm',
  'kind',
  'logs',
  'evidence',
  'audit.jsonl',
  'run',
];
/** What was noted beside the keys of Vault, and keys that were set aside: they open nothing that is still there. */
const BESIDE_THE_KEYS = /^vault-keys\.json\.(init-began|\d{4}-[\dTZ-]+\.old)$/;

function isOurs(entry: string, all: readonly string[]): boolean {
  // The keys go with the histories that they open, which are the embedded engine's; those of another engine outlive
  // this folder.
  const goes = entry === HISTORY_KEYS_FILE && all.includes('engine');
  return OURS.includes(entry) || BESIDE_THE_KEYS.test(entry) || goes;
}

export interface Purged {
  removed: string[];
  /** Not ours, and still there. */
  kept: string[];
}

/**
 * Removes the data of an environment: histories, cluster, secrets with the keys to them, logs.
 * @throws Error when something of it still runs
 */
export async function purge(environment: string, config: Config, report: Report): Promise<Purged> {
  const layout = layoutOf(config, environment);
  const running = await Promise.all(
    COMPONENTS.map(async (name) => ((await runningDaemon(pidFileOf(layout, name))) === undefined ? [] : [name])),
  );
  const left = [...running.flat(), ...(await orphanProcesses(layout, config)).map(({ pid }) => `process ${pid}`)];
  if (left.length > 0)
    throw new Error(
      `Nothing was removed: ${left.join(', ')} of environment "${environment}" still run. Stop them first: npm run ananta -- down --env ${environment}`,
    );
  const entries = (await exists(layout.root)) ? await readdir(layout.root) : [];
  const removed = entries.filter((entry) => isOurs(entry, entries));
  const kept = entries.filter((entry) => !isOurs(entry, entries));
  for (const entry of removed) await rm(join(layout.root, entry), { recursive: true, force: true });
  if (kept.length === 0) await rmdir(layout.root).catch(() => undefined);
  if (removed.length > 0)
    report({ kind: 'note', message: `Removed from ${layout.root}: ${removed.sort().join(', ')}.` });
  if (kept.length > 0)
    report({ kind: 'note', message: `Not ours and therefore kept in ${layout.root}: ${kept.sort().join(', ')}.` });
  return { removed, kept };
}

async function orphanProcesses(layout: Layout, config: Config): Promise<OrphanProcess[]> {
  const [runtime, installed] = await Promise.all([
    readRuntime(config, layout.environment).catch(() => undefined),
    findInstalledTools(config.cacheDir, config.childEnv).catch(() => new Map<string, { path: string }>()),
  ]);
  return processesOfEnvironment(layout, {
    ...Object.fromEntries([...installed].map(([name, { path }]) => [name, path])),
    ...runtime?.tools,
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await readdir(path);
    return true;
  } catch (error) {
    if (isErrorCode(error, 'ENOENT')) return false;
    throw error;
  }
}
