import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { constants } from 'node:os';

/*
 * A compiler starts many processes of its own; ending only the one we started leaves the rest running. So each child
 * leads a
 * process group, and the whole group is ended when this process is asked to end.
 */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const groups = new Set<number>();

function endGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // macOS answers EPERM when only zombies are left in the group.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

function endAll(): void {
  for (const pid of groups) endGroup(pid, 'SIGKILL');
}

function onSignal(signal: NodeJS.Signals): void {
  endAll();
  // Where nobody else decides what the signal means, it keeps meaning the end of this process.
  if (process.listenerCount(signal) === 1) {
    process.off(signal, onSignal);
    process.kill(process.pid, signal);
  }
}

function watchSignals(): void {
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on('exit', endAll);
}

function unwatchSignals(): void {
  for (const signal of SIGNALS) process.off(signal, onSignal);
  process.off('exit', endAll);
}

function untrack(pid: number): void {
  groups.delete(pid);
  if (groups.size === 0) unwatchSignals();
}

/**
 * Starts a program as the leader of its own process group. The group is killed when this process exits or gets SIGINT,
 * SIGTERM or SIGHUP; those signals otherwise do what they did before. SIGKILL to this process leaves the group running:
 * who needs that healed records the pid.
 */
export function spawnGroup(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  // Before the program runs: a signal that came between its start and this would end this process alone.
  if (groups.size === 0) watchSignals();
  try {
    const child = spawn(command, [...args], { ...options, detached: true });
    const { pid } = child;
    if (pid !== undefined) {
      groups.add(pid);
      child.once('exit', () => {
        untrack(pid);
      });
    }
    return child;
  } finally {
    // It could not be started.
    if (groups.size === 0) unwatchSignals();
  }
}

/** Kills a whole process group by its leader's pid; nothing happens when it is gone. */
export function killGroup(pid: number): void {
  endGroup(pid, 'SIGKILL');
}

/** "exit code 1" or "SIGKILL (9)", for messages. */
export function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code}` : `${signal} (${constants.signals[signal]})`;
}
