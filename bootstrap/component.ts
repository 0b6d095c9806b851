/** One process of the local stack: how it is started, asked whether it works, restarted and stopped. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AnantaError, type NextStep } from '../src/contract/errors.ts';
import { type ComponentName, type Layout, lockOf, logFileOf, pidFileOf } from './layout.ts';
import { commandDigest, endProcess, runningDaemon, startDaemon, stopDaemon } from './process/daemon.ts';
import type { DaemonRecord, DaemonSpec } from './process/daemon.ts';
import { withLock } from './process/lock.ts';
import { logTail } from './process/log-file.ts';
import { findProcesses } from './process/orphans.ts';
import { vitalsOf } from './process/vitals.ts';
import { WaitTimeoutError, waitWhileMoving } from './process/wait.ts';
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
  /** How long it may make no progress (CPU time, log lines, answers) before its first good check. */
  standstillMs: number;
  /** How often it is started again when it ends before that. */
  restarts?: number;
  /** Between TERM and KILL. */
  graceMs: number;
}

const RESTART_PAUSE_MS = 1000;

export class ComponentError extends AnantaError {
  override name = 'ComponentError';
  override readonly next: readonly NextStep[] = [{ command: 'doctor' }];
  readonly component: ComponentName;
  readonly logFile: string;
  /** It does not run any more. */
  readonly ended: boolean;

  constructor(component: ComponentName, message: string, logFile: string, tail: readonly string[], ended = false) {
    super(
      [`${component}: ${message}`, ...tail.map((line) => `  | ${line.slice(0, 300)}`), `Its log: ${logFile}`].join(
        '\n',
      ),
    );
    this.component = component;
    this.logFile = logFile;
    this.ended = ended;
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
 * Starts the component unless it runs and works, under its lock: a second caller finds it running.
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
  const detail = await awaitReadyOrRestart(component, record, { report, signal });
  report({
    kind: 'component',
    component: component.name,
    state: 'ready',
    seconds: (performance.now() - began) / 1000,
    ...(detail === '' ? {} : { detail }),
  });
}

/**
 * A command that is killed between starting a process and recording it leaves a process without a record, which holds
 * our ports and data: it is found and ended here.
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

/**
 * The same for one that gives up by itself while what it needs is slow: it is started again.
 * @returns what there is to say about it
 */
export async function awaitReadyOrRestart(
  component: Component,
  started: DaemonRecord,
  { report, signal }: Pick<EnsureOptions, 'report' | 'signal'>,
): Promise<string> {
  let record = started;
  for (let left = component.restarts ?? 0; ; left -= 1) {
    try {
      return await awaitReady(component, record, signal);
    } catch (error) {
      if (!(error instanceof ComponentError) || !error.ended || left <= 0) throw error;
      report({ kind: 'component', component: component.name, state: 'died', detail: 'it is started again' });
      await sleep(RESTART_PAUSE_MS, undefined, signal === undefined ? {} : { signal });
      await component.prepare?.();
      record = await startDaemon(component.spec);
    }
  }
}

/** Polls until the first good check. @throws ComponentError when it ends, or stands still */
export async function awaitReady(
  component: Component,
  record: DaemonRecord,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { spec, standstillMs } = component;
  let last = 'it has not answered yet';
  const fail = async (why: string, ended: boolean): Promise<never> => {
    throw new ComponentError(component.name, why, spec.logFile, await logTail(spec.logFile), ended);
  };
  const signs = async (): Promise<string> => `${last}; ${await vitalsOf(spec)}`;
  try {
    return await waitWhileMoving(component.name, { standstillMs, signs, intervalMs: 40, signal }, async () => {
      try {
        return await component.check();
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
      }
      const alive = await runningDaemon(spec.pidFile);
      if (alive?.pid !== record.pid) await fail('it ended right after its start', true);
      return undefined;
    });
  } catch (error) {
    if (!(error instanceof WaitTimeoutError)) throw error;
    return fail(`it was started, and does not work: ${error.message.replace(/^[^:]*: /, '')}`, false);
  }
}
