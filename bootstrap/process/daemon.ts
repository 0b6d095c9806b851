/**
 * Daemons: processes that outlive the command that started them. Each has a record (its pid file) that names exactly
 * one process among all that ever carry its number, so that neither a stale file nor a reused pid can mislead anybody.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { readJson, writeFileDurably } from './files.ts';
import { isSameProcessAlive, processIdentity } from './identity.ts';
import type { ProcessIdentity } from './identity.ts';
import { openLog } from './log-file.ts';

export interface DaemonSpec {
  name: string;
  command: string;
  args: readonly string[];
  /** All of its environment: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  cwd: string;
  logFile: string;
  pidFile: string;
  version: string;
  /** The port that others reach it at. */
  port: number | null;
  /** Of the code it runs, where the command does not say it. */
  build?: string | undefined;
  /** Names of the variables that it inherits from whoever starts it. */
  variables?: readonly string[];
}

const recordSchema = z.object({
  name: z.string(),
  pid: z.number().int().positive(),
  startToken: z.string(),
  version: z.string(),
  port: z.number().int().nullable(),
  /** Of command, arguments and environment: shows whether it runs as it would be started now. */
  digest: z.string(),
  build: z.string().optional(),
  /** Names alone: their values are never written. */
  variables: z.array(z.string()).optional(),
  startedAt: z.iso.datetime(),
});
export type DaemonRecord = z.infer<typeof recordSchema>;

export function commandDigest(spec: Pick<DaemonSpec, 'command' | 'args' | 'env' | 'cwd'>): string {
  const said = JSON.stringify([spec.command, spec.args, Object.entries(spec.env).sort(), spec.cwd]);
  return createHash('sha256').update(said).digest('hex').slice(0, 16);
}

/** The record of a process that lives; undefined when it is dead, or there is no (readable) record. */
export async function runningDaemon(pidFile: string): Promise<DaemonRecord | undefined> {
  const parsed = recordSchema.safeParse(await readJson(pidFile));
  return parsed.success && (await isSameProcessAlive(parsed.data)) ? parsed.data : undefined;
}

/**
 * Starts the process in a session of its own, its output in the log, and records it at once. Does not wait for it to be
 * ready.
 * @throws Error when it cannot be started at all
 */
export async function startDaemon(spec: DaemonSpec): Promise<DaemonRecord> {
  const log = await openLog(spec.logFile);
  try {
    const child = spawn(spec.command, [...spec.args], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      cwd: spec.cwd,
      env: { ...spec.env },
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => {
        reject(new Error(`${spec.name} could not be started (${spec.command}): ${error.message}`));
      });
    });
    child.unref();
    return await recordDaemon(spec, child.pid as number);
  } finally {
    await log.close();
  }
}

/** Records a process that somebody else started as ours. */
export async function recordDaemon(spec: DaemonSpec, pid: number): Promise<DaemonRecord> {
  // A process that is gone already gets a token that fits none.
  const identity: ProcessIdentity = (await processIdentity(pid)) ?? { pid, startToken: 'gone' };
  const record: DaemonRecord = {
    name: spec.name,
    ...identity,
    version: spec.version,
    port: spec.port,
    digest: commandDigest(spec),
    ...(spec.build === undefined ? {} : { build: spec.build }),
    ...(spec.variables === undefined ? {} : { variables: [...spec.variables] }),
    startedAt: new Date().toISOString(),
  };
  await writeFileDurably(spec.pidFile, `${JSON.stringify(record, undefined, 2)}\n`);
  return record;
}

/** TERM, then KILL for the whole process group when the grace is over. @returns whether anything was running */
export async function stopDaemon(pidFile: string, graceMs: number): Promise<boolean> {
  const record = await runningDaemon(pidFile);
  if (record !== undefined) await endProcess(record, graceMs);
  await rm(pidFile, { force: true });
  return record !== undefined;
}

/** Ends exactly this process, never another one that got its number. */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  signal(identity.pid, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  while (performance.now() < deadline) {
    if (!(await isSameProcessAlive(identity))) return;
    await sleep(25);
  }
  if (!(await isSameProcessAlive(identity))) return;
  signal(-identity.pid, 'SIGKILL');
  signal(identity.pid, 'SIGKILL');
  while (await isSameProcessAlive(identity)) await sleep(10);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
