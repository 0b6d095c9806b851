/**
 * Which Helm processes of ours run on this machine. A worker that is killed leaves its Helm behind; the record made at
 * its start shows the next worker whether that very process, not one that got its number, still runs.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isSameProcessAlive, ownIdentity, processIdentity } from '../../process/identity.ts';

const identitySchema = z.object({ pid: z.number().int().positive(), startToken: z.string() });
const recordSchema = z.object({
  helm: identitySchema,
  worker: identitySchema,
  runId: z.string(),
  startedAt: z.string(),
  /** ISO 8601: when its guard has killed it at the latest. Earlier versions ran Helm without one. */
  endsBy: z.string().optional(),
});
export type HelmProcess = z.infer<typeof recordSchema>;

export interface ProcessRecords {
  /** Records a process that was just started. @param endsBy ISO 8601 */
  keep(namespace: string, release: string, pid: number, run: { runId: string; endsBy: string }): Promise<void>;
  forget(namespace: string, release: string, pid: number): void;
  /** @returns the release's Helm if it is still running */
  alive(namespace: string, release: string): Promise<HelmProcess | undefined>;
  /** @returns a Helm of the release that has ended without its worker having seen it */
  dead(namespace: string, release: string): Promise<HelmProcess | undefined>;
}

const LOOK_MILLISECONDS = 100;
/** The guard's clock began a moment after it was written down, and a busy machine is late. */
const LATE_MILLISECONDS = 5000;

export function createProcessRecords(folder: string): ProcessRecords {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fileOf = (namespace: string, release: string): string => join(folder, `${namespace}.${release}.json`);
  const current = new Map<string, number>();
  return {
    keep: async (namespace, release, pid, run) => {
      const file = fileOf(namespace, release);
      current.set(file, pid);
      const [helm, worker] = await Promise.all([processIdentity(pid), ownIdentity()]);
      // It may have ended already, and then there is nothing to record.
      if (!helm || current.get(file) !== pid) return;
      try {
        writeFileSync(
          file,
          JSON.stringify({ helm, worker, ...run, startedAt: new Date().toISOString() } satisfies HelmProcess),
          { mode: 0o600 },
        );
      } catch {
        // On a full disk: Helm is at work and is waited for. Should this worker die, the marks in its environment tell
        // whose it is; half of a record would tell nothing.
        rmSync(file, { force: true });
      }
    },
    forget: (namespace, release, pid) => {
      const file = fileOf(namespace, release);
      if (current.get(file) !== pid) return;
      current.delete(file);
      rmSync(file, { force: true });
    },
    alive: async (namespace, release) => {
      const record = await readRecord(fileOf(namespace, release));
      return record && (await isSameProcessAlive(record.helm)) ? record : undefined;
    },
    dead: async (namespace, release) => {
      const record = await readRecord(fileOf(namespace, release));
      return record && !(await isSameProcessAlive(record.helm)) ? record : undefined;
    },
  };
}

/** Whether the worker that started it is still there; if not, the process is an orphan. */
export async function hasLivingWorker(process: HelmProcess): Promise<boolean> {
  return isSameProcessAlive(process.worker);
}

/**
 * Waits for a Helm that its worker has left behind, as long as its guard lets it run.
 * @returns false where it should be over by now: then guard and Helm stand still, and only a kill ends them
 * @throws the signal's reason
 */
export async function awaitEnd({ helm, endsBy }: HelmProcess, signal: AbortSignal): Promise<boolean> {
  const deadline = Date.parse(endsBy ?? '') + LATE_MILLISECONDS;
  while (await isSameProcessAlive(helm)) {
    if (!(Date.now() <= deadline)) return false;
    await sleep(LOOK_MILLISECONDS, undefined, { signal });
  }
  return true;
}

/**
 * Asks the process to end and waits until it has: asked nicely Helm puts its release into `failed`. After
 * `graceSeconds` it is killed. @throws the signal's reason
 */
export async function endProcess(target: HelmProcess, graceSeconds: number, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + graceSeconds * 1000;
  sendSignal(target.helm.pid, 'SIGTERM');
  // A stopped process would not receive the signal.
  sendSignal(target.helm.pid, 'SIGCONT');
  while (await isSameProcessAlive(target.helm)) {
    signal?.throwIfAborted();
    if (Date.now() > deadline) sendSignal(target.helm.pid, 'SIGKILL');
    await sleep(50);
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function readRecord(file: string): Promise<HelmProcess | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    // Missing, or cut off by a power failure that also ended the process.
    return undefined;
  }
}
