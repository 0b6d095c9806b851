/** One process of the local stack: how it is started, asked whether it works, restarted and stopped. */
import { AnantaError, type NextStep } from '../src/contract/errors.ts';
import { type ComponentName, type Layout, lockOf, logFileOf, pidFileOf } from './layout.ts';
import { commandDigest, endProcess, runningDaemon, startDaemon, stopDaemon } from './process/daemon.ts';
import type { DaemonRecord, DaemonSpec } from './process/daemon.ts';
import { withLock } from './process/lock.ts';
import { logTail } from './process/log-file.ts';
import { findProcesses } from './process/orphans.ts';
import { WaitTimeoutError, waitUntil } from './process/wait.ts';
import { processesOf } from './processes.ts';
import type { Report } from './report.ts';

export interface Component {
  name: ComponentName;
  spec: DaemonSpec;
  /** What runs in the end, where the command only leads to it. */
  program?: string;
  /**
   * Programs that it starts, with the folder that they have in their environment: they may outlive it, and are ended
   * before it starts again.
   */
  children?: { programs: readonly string[]; folder: string };
  /** Files that it needs; before each start. */
  prepare?: () => Promise<void>;
  /** One look. @returns what there is to say about it, '' for nothing. @throws Error while it does not work */
  check: () => Promise<string>;
  /** How long a start may take until the first good check. */
  readyWithinMs: number;
  /** Between TERM and KILL. */
  graceMs: number;
}

export class ComponentError extends AnantaError {
  override name = 'ComponentError';
  override readonly next: readonly NextStep[] = [{ command: 'doctor' }];
  readonly component: ComponentName;
  readonly logFile: string;

  constructor(component: ComponentName, message: string, logFile: string, tail: readonly string[]) {
    super(
      [`${component}: ${message}`, ...tail.map((line) => `  | ${line.slice(0, 300)}`), `Its log: ${logFile}`].join(
        '\n',
      ),
    );
    this.component = component;
    this.logFile = logFile;
  }
}

/** What every component's spec has in common. */
export function daemonSpec(
  layout: Layout,
  name: ComponentName,
  rest: Pick<DaemonSpec, 'command' | 'args' | 'env' | 'cwd' | 'version' | 'port' | 'build' | 'variables'>,
): DaemonSpec {
  return { name, ...rest, logFile: logFileOf(layout, name), pidFile: pidFileOf(layout, name) };
}

export interface EnsureOptions {
  report: Report;
  signal?: AbortSignal | undefined;
  /** Whether one that runs, but not as it would be started now, is replaced. */
  replaceOutdated: boolean;
}

/**
 * Sees to it that the component runs and works, under its lock: whoever comes second finds it running.
 * @returns whether it had to be started
 * @throws ComponentError with the end of its log when it does not come up
 */
export async function ensureComponent(layout: Layout, component: Component, options: EnsureOptions): Promise<boolean> {
  return withLock(lockOf(layout, component.name), { signal: options.signal }, async () => {
    const running = await runningDaemon(component.spec.pidFile);
    if (running !== undefined) {
      const outdated = options.replaceOutdated && isOutdated(running, component.spec);
      if (!outdated) {
        await awaitReady(component, running, options.signal);
        return false;
      }
      options.report({
        kind: 'component',
        component: component.name,
        state: 'stopping',
        detail: 'it runs with other settings than it would be started with now',
      });
      await stopDaemon(component.spec.pidFile, component.graceMs);
    }
    await startComponent(layout, component, options);
    return true;
  });
}

/** Starts it and waits until it works. The caller holds its lock. */
export async function startComponent(
  layout: Layout,
  component: Component,
  { report, signal }: Pick<EnsureOptions, 'report' | 'signal'>,
): Promise<void> {
  const began = performance.now();
  report({ kind: 'component', component: component.name, state: 'starting' });
  await endUnrecorded(layout, component);
  await component.prepare?.();
  const record = await startDaemon(component.spec);
  const detail = await awaitReady(component, record, signal);
  report({
    kind: 'component',
    component: component.name,
    state: 'ready',
    seconds: (performance.now() - began) / 1000,
    ...(detail === '' ? {} : { detail }),
  });
}

/**
 * Whoever is killed between starting a process and recording it leaves one that nobody knows, on our ports and our
 * data.
 */
async function endUnrecorded(
  layout: Layout,
  { name, spec, graceMs, children, program = spec.command }: Component,
): Promise<void> {
  const orphans = children === undefined ? [] : await findProcesses({ ...children, orEnvironment: true });
  await Promise.all(
    [...(await processesOf(layout, name, program)), ...orphans].map((orphan) => endProcess(orphan, graceMs)),
  );
}

export function isOutdated(record: DaemonRecord, spec: DaemonSpec): boolean {
  return record.digest !== commandDigest(spec) || record.build !== spec.build;
}

/** Polls until the first good check. @throws ComponentError when it ends or takes too long */
export async function awaitReady(
  component: Component,
  record: DaemonRecord,
  signal: AbortSignal | undefined,
): Promise<string> {
  let last = 'it has not answered yet';
  const fail = async (why: string): Promise<never> => {
    throw new ComponentError(component.name, why, component.spec.logFile, await logTail(component.spec.logFile));
  };
  try {
    return await waitUntil(component.name, { timeoutMs: component.readyWithinMs, intervalMs: 40, signal }, async () => {
      try {
        return await component.check();
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
      }
      const alive = await runningDaemon(component.spec.pidFile);
      if (alive?.pid !== record.pid) await fail('it ended right after its start');
      return undefined;
    });
  } catch (error) {
    if (!(error instanceof WaitTimeoutError)) throw error;
    return fail(`it does not work ${Math.round(component.readyWithinMs / 1000)} s after its start: ${last}`);
  }
}
