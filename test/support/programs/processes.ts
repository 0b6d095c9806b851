/** Processes as the kernel shows them: found by what stands on their command line. Linux only, like the faults. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Process {
  pid: number;
  args: string[];
}

export async function processes(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => ({
      pid,
      args: (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').filter((arg) => arg !== ''),
    })),
  );
  return found.filter(({ args }) => args.length > 0);
}

/** Environment of a process, as whoever runs as the same user can read it. */
export async function environmentOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
}

const VERBS = ['upgrade', 'rollback', 'uninstall'];

/** A Helm at work for this state folder. */
export async function helmProcesses(state: string): Promise<Process[]> {
  const helms = (await processes()).filter(
    ({ args }) => args[0]?.endsWith('/helm') === true && args.some((arg) => VERBS.includes(arg)),
  );
  const own = await Promise.all(helms.map(async (helm) => ({ helm, environment: await environmentOf(helm.pid) })));
  return own
    .filter(({ environment, helm }) => environment.includes(state) || helm.args.some((arg) => arg.includes(state)))
    .map(({ helm }) => helm);
}

/** Processes whose executable, arguments or environment name the folder: what `down` must not leave behind. */
export async function processesOf(folder: string): Promise<Process[]> {
  const all = await processes();
  const named = await Promise.all(
    all.map(async (process_) => {
      const [executable, environment] = await Promise.all([
        readlink(`/proc/${process_.pid}/exe`).catch(() => ''),
        environmentOf(process_.pid),
      ]);
      return { process_, text: [executable, ...process_.args, environment].join('\n') };
    }),
  );
  return named
    .filter(({ process_, text }) => process_.pid !== process.pid && text.includes(folder))
    .map(({ process_ }) => process_);
}

/** @throws when nothing shows up in time */
export async function waitForProcess(find: () => Promise<Process[]>, timeoutMs: number): Promise<Process> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const [first] = await find();
    if (first) return first;
    if (Date.now() > deadline) throw new Error(`No such process within ${timeoutMs} ms`);
    // Each look reads what all processes of the machine say of themselves.
    await sleep(20);
  }
}
