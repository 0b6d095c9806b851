/** Faults of the local stack, by signal: a part of it dies, or stands still for a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ComponentName, type Layout, pidFileOf } from '../layout.ts';
import { runningDaemon } from '../process/daemon.ts';
import { isErrorCode } from '../process/files.ts';
import { findProcesses } from '../process/orphans.ts';
import { WaitTimeoutError, waitUntil } from '../process/wait.ts';

export type Victim = Exclude<ComponentName, 'responder'> | 'helm';

export type Blow = { kind: 'kill' } | { kind: 'stop'; seconds: number };

export interface InjectOptions {
  /** Where the environment's parts are. */
  layout: Layout;
  /** Path of the program whose processes `helm` are. */
  helm: string;
  signal: AbortSignal;
}

export interface Hit {
  pid: number;
  /** Milliseconds of the epoch. */
  at: number;
  /** Until it went on, or another one of it ran; absent for a Helm that was killed, which nobody starts again. */
  seconds?: number;
}

/** A process that can be hit is waited for so long, such as a Helm. */
const APPEARS_MS = 20_000;
/** Whoever supervises starts what has died again; a busy machine takes its time. */
const COMES_BACK_MS = 180_000;
const LOOK_EVERY_MS = 20;

/**
 * Kills a part, or stops it and lets it go on, also when the signal comes meanwhile.
 * @returns undefined when there was nothing to hit
 * @throws WaitTimeoutError when what was killed is not started again, the signal's reason
 */
export async function inject(victim: Victim, blow: Blow, options: InjectOptions): Promise<Hit | undefined> {
  const { layout, signal } = options;
  const pid = await appearing(victim, options);
  if (pid === undefined) return undefined;
  const began = performance.now();
  const at = Date.now();
  const secondsSince = (): number => Math.round((performance.now() - began) / 100) / 10;
  if (blow.kind === 'stop') {
    if (!send(pid, 'SIGSTOP')) return undefined;
    try {
      await sleep(blow.seconds * 1000, undefined, { signal });
    } finally {
      send(pid, 'SIGCONT');
    }
    return { pid, at, seconds: secondsSince() };
  }
  if (!send(pid, 'SIGKILL')) return undefined;
  if (victim === 'helm') return { pid, at };
  await waitUntil(`another ${victim}`, { timeoutMs: COMES_BACK_MS, signal }, async () => {
    const now = await pidOf(victim, layout);
    return now === undefined || now === pid ? undefined : now;
  });
  return { pid, at, seconds: secondsSince() };
}

async function appearing(victim: Victim, { layout, helm, signal }: InjectOptions): Promise<number | undefined> {
  const find = async (): Promise<number | undefined> => {
    if (victim !== 'helm') return pidOf(victim, layout);
    const found = await findProcesses({ folder: layout.root, programs: [helm], orEnvironment: true });
    return found[0]?.pid;
  };
  try {
    return await waitUntil(victim, { timeoutMs: APPEARS_MS, intervalMs: LOOK_EVERY_MS, signal }, find);
  } catch (error) {
    if (error instanceof WaitTimeoutError) return undefined;
    throw error;
  }
}

async function pidOf(component: ComponentName, layout: Layout): Promise<number | undefined> {
  return (await runningDaemon(pidFileOf(layout, component)))?.pid;
}

/** @returns false when it has ended meanwhile */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (isErrorCode(error, 'ESRCH')) return false;
    throw error;
  }
}
