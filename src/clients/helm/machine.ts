/**
 * Helm processes of this machine as its kernel shows them, whoever's records they are in: those of another checkout,
 * too.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { OWNER_VARIABLE } from '../../process/owner.ts';
import { type ProcessIdentity, processIdentity } from '../../process/identity.ts';

const run = promisify(execFile);
const VERBS = ['upgrade', 'rollback', 'uninstall'];

/**
 * A Helm that this owner has started for the release and that still runs. Where it cannot be seen who started a
 * process, because it is another user's, what it was called with decides.
 * @param owner its label
 */
export async function helmOf(owner: string, namespace: string, release: string): Promise<ProcessIdentity | undefined> {
  for (const { pid, args } of await all()) {
    if (!isHelmFor(args, namespace, release) || !(await isOf(pid, owner))) continue;
    const found = await processIdentity(pid);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isHelmFor(args: readonly string[], namespace: string, release: string): boolean {
  const verb = args.findIndex((arg) => VERBS.includes(arg));
  return (
    verb > 0 &&
    args.slice(0, verb).some((arg) => basename(arg) === 'helm') &&
    args.includes(release) &&
    args[args.indexOf('--namespace') + 1] === namespace
  );
}

async function isOf(pid: number, owner: string): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  try {
    return (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0').includes(`${OWNER_VARIABLE}=${owner}`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code !== 'ENOENT' && code !== 'ESRCH';
  }
}

async function all(): Promise<{ pid: number; args: string[] }[]> {
  if (process.platform !== 'linux') {
    const { stdout } = await run('ps', ['-axww', '-o', 'pid=,command='], {
      env: { PATH: '/bin:/usr/bin', LC_ALL: 'C' },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .map(([pid, ...args]) => ({ pid: Number(pid), args }));
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  return Promise.all(
    pids.map(async (pid) => ({
      pid,
      args: (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0'),
    })),
  );
}
