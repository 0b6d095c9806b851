/** Processes of ours that no record names: what was started by a process that was killed before it could write one. */
import { execFile } from 'node:child_process';
import { readFile, readdir, readlink, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { processIdentity } from './identity.ts';
import type { ProcessIdentity } from './identity.ts';

const run = promisify(execFile);

export interface OrphanQuery {
  /** Named in its arguments. */
  folder: string;
  /**
   * Naming it in its environment counts, too (where the system shows it); a person's own call of a tool may do so as
   * well.
   */
  orEnvironment?: boolean;
  /** The program has to be one of these; an editor that a person has opened on one of our files does not count. */
  programs: readonly string[];
}

export interface OrphanProcess extends ProcessIdentity {
  command: string;
}

export async function findProcesses(query: OrphanQuery): Promise<OrphanProcess[]> {
  return process.platform === 'linux' ? findInProc(query) : findWithPs(query);
}

async function findInProc({ folder, programs, orEnvironment = false }: OrphanQuery): Promise<OrphanProcess[]> {
  const wanted = new Set(await Promise.all(programs.map((program) => realpath(program).catch(() => program))));
  const found: OrphanProcess[] = [];
  await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map(async (name) => {
        try {
          const program = (await readlink(`/proc/${name}/exe`)).replace(/ \(deleted\)$/, '');
          if (!wanted.has(program)) return;
          const command = await readFile(`/proc/${name}/cmdline`, 'utf8');
          if (
            !names(command, folder) &&
            !(orEnvironment && names(await readFile(`/proc/${name}/environ`, 'utf8'), folder))
          )
            return;
          const identity = await processIdentity(Number(name));
          if (identity !== undefined) found.push({ ...identity, command: command.replaceAll('\0', ' ').trim() });
        } catch {
          // Gone meanwhile, or somebody else's.
        }
      }),
  );
  return found;
}

async function findWithPs({ folder, programs }: OrphanQuery): Promise<OrphanProcess[]> {
  const { stdout } = await run('/bin/ps', ['-axww', '-o', 'pid=,command='], { maxBuffer: 32 * 1024 * 1024 });
  const found: OrphanProcess[] = [];
  for (const line of stdout.split('\n')) {
    const [, pid, command] = /^\s*(\d+) (.*)$/.exec(line) ?? [];
    if (pid === undefined || command === undefined || Number(pid) === process.pid) continue;
    if (!programs.some((program) => command.startsWith(program)) || !names(command, folder)) continue;
    const identity = await processIdentity(Number(pid));
    if (identity !== undefined) found.push({ ...identity, command });
  }
  return found;
}

/** The folder itself or something below it, not one whose name only begins the same. */
function names(text: string, folder: string): boolean {
  for (let at = text.indexOf(folder); at !== -1; at = text.indexOf(folder, at + 1)) {
    const next = text[at + folder.length];
    if (next === undefined || !/[A-Za-z0-9._-]/.test(next)) return true;
  }
  return false;
}
