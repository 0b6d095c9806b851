import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * One process among all that ever carry its number: the pid alone is handed out again after the process ends, the start
 * token is not.
 */
export interface ProcessIdentity {
  pid: number;
  /**
   * Opaque; equal for two looks at the same process, different for a later process with the same pid or after a reboot.
   */
  startToken: string;
}

let bootId: Promise<string> | undefined;

/** Start ticks count from boot, so a token without the boot's own id could come back after a power cut. */
function linuxBootId(): Promise<string> {
  bootId ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.slice(0, 8),
    () => 'noboot',
  );
  return bootId;
}

async function linuxStartToken(pid: number): Promise<string | undefined> {
  let stat: string;
  try {
    // Read synchronously: /proc needs no disk, and an attached command reads it some forty times a second, for which a
    // thread each would cost more.
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    // ESRCH: the process ended between open and read.
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
  // The second field is the program's name in parentheses and may hold blanks and parentheses of its own.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  if (startTicks === undefined || state === 'Z' || state === 'X') return undefined;
  return `${await linuxBootId()}:${startTicks}`;
}

async function psStartToken(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      env: { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' },
    });
    const line = stdout.trim();
    if (line === '' || line.startsWith('Z')) return undefined;
    return line.replace(/^\S+\s+/, '').replace(/\s+/g, '-');
  } catch (error) {
    // ps answers 1 for a pid that is not there.
    if ((error as { code?: unknown }).code === 1) return undefined;
    throw error;
  }
}

/**
 * Who the process with this number is now.
 * @returns undefined when there is none, or only a zombie that waits for its parent.
 */
export async function processIdentity(pid: number): Promise<ProcessIdentity | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const startToken = process.platform === 'linux' ? await linuxStartToken(pid) : await psStartToken(pid);
  return startToken === undefined ? undefined : { pid, startToken };
}

/** Whether exactly this process still runs; false for another one that got its number. */
export async function isSameProcessAlive(identity: ProcessIdentity): Promise<boolean> {
  const now = await processIdentity(identity.pid);
  return now !== undefined && now.startToken === identity.startToken;
}

let own: Promise<ProcessIdentity> | undefined;

/** The identity of this process. */
export function ownIdentity(): Promise<ProcessIdentity> {
  own ??= processIdentity(process.pid).then((identity) => {
    if (identity === undefined) throw new Error(`cannot read the start time of this process (${process.pid})`);
    return identity;
  });
  return own;
}
