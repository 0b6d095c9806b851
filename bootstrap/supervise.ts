/** While a command is attached: components that die are started again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../src/config.ts';
import { loadPlatform } from '../src/environment/platform.ts';
import type { Environment } from '../src/environment/schema.ts';
import { type Api, openApi, tellKwokctl, requeueOverdueClaims, requeueOverduePods } from './cluster/index.ts';
import { CLUSTER_COMPONENTS } from './cluster/config.ts';
import { startComponent } from './component.ts';
import { componentOf, expectedComponents, openLocalStack } from './local-stack.ts';
import { type ComponentName, type Layout, layoutOf, lockOf, pidFileOf } from './layout.ts';
import { type DaemonRecord, endProcess, runningDaemon } from './process/daemon.ts';
import { readJson } from './process/files.ts';
import { isSameProcessAlive } from './process/identity.ts';
import { tryLock } from './process/lock.ts';
import { becomesFree } from './process/ports.ts';
import type { Report } from './report.ts';
import { proveStarted } from './simulator.ts';

const LOOK_EVERY_MS = 250;
const AFTER_FAILURE_MS = 5_000;
const OVERDUE_EVERY_MS = 4_000;
const PORT_FREE_WITHIN_MS = 10_000;
const API_SERVER_GRACE_MS = 2_000;

/**
 * Watches until the signal is aborted; never throws for a component that does not come back, but reports it and tries
 * again. Whoever holds a component's lock restarts it, so any number of attached commands may watch. What was stopped
 * on purpose has no record any more and stays stopped.
 * @param among where only some are meant, as while the others are still being started
 */
export async function superviseWhile(
  environment: Environment,
  config: Config,
  signal: AbortSignal,
  report: Report,
  among?: (name: ComponentName) => boolean,
): Promise<void> {
  const layout = layoutOf(config, environment.name);
  const restarting = new Map<ComponentName, Promise<void>>();
  const living = new Map<ComponentName, DaemonRecord>();
  const simulation =
    'embedded' in environment.cluster && among === undefined
      ? keepSimulationMoving(layout, signal, report)
      : Promise.resolve();
  const expected = expectedComponents(environment, await loadPlatform(environment, config));
  while (!signal.aborted) {
    for (const name of expected) {
      if (among?.(name) === false) continue;
      if (restarting.has(name) || (await stillLives(living, name)) || !(await hasDied(layout, name, living))) continue;
      const restart = restartDead(environment, config, layout, name, signal, report)
        .then((restarted) =>
          restarted && name === 'kwok-controller' && among === undefined
            ? proveStarted(layout, report, signal)
            : undefined,
        )
        .catch(async (error: unknown) => {
          if (signal.aborted) return;
          report({ kind: 'note', message: error instanceof Error ? error.message : String(error) });
          await pause(AFTER_FAILURE_MS, signal);
        })
        .finally(() => restarting.delete(name));
      restarting.set(name, restart);
    }
    await pause(LOOK_EVERY_MS, signal);
  }
  await Promise.allSettled([...restarting.values(), simulation]);
}

export interface StartedWatch {
  /** From now on these are started again when they end. */
  started: (...names: ComponentName[]) => void;
  end: () => Promise<void>;
}

/** While others are waited for: they may be waiting for what has come up, and ends meanwhile. */
export function watchStarted(environment: Environment, config: Config, report: Report): StartedWatch {
  const started = new Set<ComponentName>();
  const ended = new AbortController();
  const watching = superviseWhile(environment, config, ended.signal, report, (name) => started.has(name)).catch(
    (error: unknown) => {
      report({ kind: 'note', message: error instanceof Error ? error.message : String(error) });
    },
  );
  return {
    started: (...names) => {
      for (const name of names) started.add(name);
    },
    end: async () => {
      ended.abort();
      await watching;
    },
  };
}

/** Pods and volumes that the simulator has overlooked; an API server that is away is somebody else's care. */
async function keepSimulationMoving(layout: Layout, signal: AbortSignal, report: Report): Promise<void> {
  let api: Api | undefined;
  while (!signal.aborted) {
    await pause(OVERDUE_EVERY_MS, signal);
    try {
      api ??= await openApi(layout);
      for (const [what, touched] of [
        ['volumes', await requeueOverdueClaims(api)],
        ['pods', await requeueOverduePods(api)],
      ] as const) {
        if (touched.length > 0)
          report({
            kind: 'note',
            message: `the simulator had overlooked ${what}, which were touched for it: ${touched.join(', ')}`,
          });
      }
    } catch {
      // A cluster that was made anew has another port and other keys.
      api?.close();
      api = undefined;
    }
  }
  api?.close();
}

/** A quick check of components that were running at the last look. */
async function stillLives(living: Map<ComponentName, DaemonRecord>, name: ComponentName): Promise<boolean> {
  const record = living.get(name);
  if (record === undefined) return false;
  if (await isSameProcessAlive(record)) return true;
  living.delete(name);
  return false;
}

/** Notes it among the living when it has not. */
async function hasDied(
  layout: Layout,
  name: ComponentName,
  living?: Map<ComponentName, DaemonRecord>,
): Promise<boolean> {
  const pidFile = pidFileOf(layout, name);
  if ((await readJson(pidFile)) === undefined) return false;
  const record = await runningDaemon(pidFile);
  if (record !== undefined) living?.set(name, record);
  return record === undefined;
}

/**
 * The API server cannot release ports and addresses that it allocated while etcd was away; after a restart it knows
 * which are free. The restart is finished also when the command ends.
 */
async function renewApiServer(environment: Environment, config: Config, layout: Layout, report: Report): Promise<void> {
  const running = await runningDaemon(pidFileOf(layout, 'kube-apiserver'));
  if (running === undefined) return;
  await endProcess(running, API_SERVER_GRACE_MS);
  await restartDead(environment, config, layout, 'kube-apiserver', new AbortController().signal, report);
}

/** @returns whether it was started again here, by nobody else */
async function restartDead(
  environment: Environment,
  config: Config,
  layout: Layout,
  name: ComponentName,
  signal: AbortSignal,
  report: Report,
): Promise<boolean> {
  const result = await tryLock(lockOf(layout, name));
  if (!result.held) return false;
  try {
    // Somebody else may have been quicker, or stopped it on purpose.
    if (!(await hasDied(layout, name))) return false;
    report({ kind: 'component', component: name, state: 'died', detail: 'it is started again' });
    const component = await componentOf(
      await openLocalStack(environment, config, { report: ignoreTools(report), signal, ports: 'keep' }),
      name,
    );
    if (component === undefined) {
      report({
        kind: 'note',
        message: `${name} cannot be started again by itself; run: npm run ananta -- up --env ${environment.name}`,
      });
      return false;
    }
    const { port } = component.spec;
    if (port !== null && !(await becomesFree(port, PORT_FREE_WITHIN_MS)))
      throw new Error(
        `${name} cannot be started again: port ${port} is taken. Another one is found by: npm run ananta -- up --env ${environment.name}`,
      );
    await startComponent(layout, component, { report, signal });
    const running = await runningDaemon(component.spec.pidFile);
    if (running !== undefined && (CLUSTER_COMPONENTS as readonly string[]).includes(name))
      await tellKwokctl(layout, name, running.pid);
  } finally {
    await result.lock.release();
  }
  if (name === 'etcd') await renewApiServer(environment, config, layout, report);
  return true;
}

/** They are installed already: nothing to report. */
function ignoreTools(report: Report): Report {
  return (event) => {
    if (event.kind !== 'tool') report(event);
  };
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
