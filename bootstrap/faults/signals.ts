/** Faults of processes, by signal: one dies, or stands still for a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ComponentName, type Layout, pidFileOf } from '../layout.ts';
import { runningDaemon } from '../process/daemon.ts';
import { isErrorCode } from '../process/files.ts';
import { findProcesses } from '../process/orphans.ts';
import { WaitTimeoutError, waitUntil } from '../process/wait.ts';

/** A process that a fault can hit. */
export interface Victim {
  /** For people. */
  name: string;
  /** Of the process that runs now. */
  pid: () => Promise<number | undefined>;
  /** Whether it is started again when it dies. */
  isKept: boolean;
}

export type Blow = { kind: 'kill' } | { kind: 'stop'; seconds: number };

export interface Hit {
  /** Of the process, where one was hit. */
  pid?: number;
  /** Milliseconds of the epoch. */
  at: number;
  /** Until it went on, or another one of it ran; absent for one that nobody starts again, such as a Helm. */
  seconds?: number;
}

/** A process that can be hit is waited for so long, such as a Helm. */
const APPEARS_MS = 20_000;
/** Whoever supervises starts what has died again; a busy machine takes its time. */
const COMES_BACK_MS = 180_000;
const LOOK_EVERY_MS = 20;

/** A part of the local stack. */
export function partOf(layout: Layout, component: ComponentName): Victim {
  const pid = async (): Promise<number | undefined> => (await runningDaemon(pidFileOf(layout, component)))?.pid;
  return { name: component, pid, isKept: true };
}

/** Whichever Helm is at work for the environment. @param program path of Helm */
export function helmOf({ root }: Pick<Layout, 'root'>, program: string): Victim {
  const pid = async (): Promise<number | undefined> => {
    const found = await findProcesses({ folder: root, programs: [program], orEnvironment: true });
    return found[0]?.pid;
  };
  return { name: 'helm', pid, isKept: false };
}

/**
 * Kills a process, or stops it and lets it go on, also when the signal comes meanwhile.
 * @param appearsMs it is waited for so long
 * @returns undefined when there was nothing to hit
 * @throws WaitTimeoutError when what was killed is not started again, the signal's reason
 */
export async function strike(
  victim: Victim,
  blow: Blow,
  { signal, appearsMs = APPEARS_MS }: { signal: AbortSignal; appearsMs?: number },
): Promise<Hit | undefined> {
  const pid = await appearing(victim, appearsMs, signal);
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
  if (!victim.isKept) return { pid, at };
  await waitUntil(`another ${victim.name}`, { timeoutMs: COMES_BACK_MS, signal }, async () => {
    const now = await victim.pid();
    return now === undefined || now === pid ? undefined : now;
  });
  return { pid, at, seconds: secondsSince() };
}

async function appearing({ name, pid }: Victim, timeoutMs: number, signal: AbortSignal): Promise<number | undefined> {
  try {
    return await waitUntil(name, { timeoutMs, intervalMs: LOOK_EVERY_MS, signal }, pid);
  } catch (error) {
    if (error instanceof WaitTimeoutError) return undefined;
    throw error;
  }
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
