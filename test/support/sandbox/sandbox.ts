/**
 * A sandbox of its own for one test: state and environment file in a temporary folder, driven through the real CLI as a
 * user drives it. Closing it stops every process it started, commands that still run included.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { stringify } from 'yaml';
import { z } from 'zod';
import { type ComponentName, COMPONENTS, layoutOf, pidFileOf } from '../../../bootstrap/layout.ts';
import { type Api, openApi } from '../../../bootstrap/cluster/index.ts';
import { down } from '../../../bootstrap/down.ts';
import { endProcess, runningDaemon } from '../../../bootstrap/process/daemon.ts';
import type { Catalog } from '../../../src/catalog/schema.ts';
import { readConfig } from '../../../src/config.ts';
import { loadEnvironment } from '../../../src/environment/load.ts';
import { loadPlatform } from '../../../src/environment/platform.ts';
import { shareCaches } from '../caches.ts';
import { copyOfCheckout } from '../checkout.ts';
import {
  beginInProcess,
  type CliRun,
  commandInProcess,
  failuresOf,
  followLines,
  type JsonLine,
  type Running,
} from '../programs/command.ts';

export { type CliRun, failuresOf, type JsonLine, type Running };

/** A running command of the CLI, in a process of its own. */
export interface RunningCli extends Running {
  pid: number;
  kill: (signal: NodeJS.Signals) => void;
}

export interface ResultLine extends JsonLine {
  type: 'result';
  workflowId: string;
  outcome: string;
  seconds: number;
  criticalPathSeconds: number;
  services: { name: string; phase: number; state: string; seconds: number; changed: boolean }[];
}

export interface Sandbox {
  name: string;
  /** Of the platform that it deploys: names, phases and numbers in a test come from here. */
  catalog: Catalog;
  folder: string;
  /** State folder of the environment. */
  state: string;
  /** The checkout that it deploys from: this one, or a copy of its own that a test may edit. */
  checkout: string;
  /** @param more of the process environment */
  start: (args: string[], input?: string, more?: Record<string, string>) => RunningCli;
  cli: (args: string[], input?: string) => Promise<CliRun>;
  /**
   * The same command in the test's own process, which costs a tenth: where no process is what is tested, and for looks
   * that are repeated until something is so.
   */
  look: (args: string[]) => Promise<CliRun>;
  /** As `look`, while its lines are awaited: for all that need not be killed, given input or searched from outside. */
  begin: (args: string[]) => Running;
  /** One that names its environments itself, in the test's own process. */
  command: (args: string[]) => Promise<CliRun>;
  /** Asks the simulation for something, such as failing a release. */
  simulate: <T>(work: (api: Api) => Promise<T>) => Promise<T>;
  /** In the test's own process. */
  deploy: (...args: string[]) => Promise<ResultLine>;
  components: () => Promise<Component[]>;
  /** Process id of a component. Rejects when it does not run. */
  pidOf: (component: ComponentName) => Promise<number>;
  /** Changes the environment file. */
  configure: (overrides: Record<string, unknown>) => Promise<void>;
  close: () => Promise<void>;
}

const componentSchema = z.object({
  name: z.string(),
  version: z.string().nullish(),
  pid: z.number().nullish(),
  port: z.number().nullish(),
  healthy: z.boolean(),
  detail: z.string().nullish(),
});
export type Component = z.infer<typeof componentSchema>;
const doctorSchema = z.object({ components: z.array(componentSchema) });

const config = readConfig();

/** The small platform, one service of each kind (platforms/mini): for all that does not need the Ananta Platform. */
export const MINI = {
  platform: 'mini',
  simulation: { factor: 0.1 },
  // A Job for each deployment, where nobody looks at it.
  verification: { skip: { 'api/smoke': 'only where a test is about checks' } },
};

export interface SandboxOptions {
  /** Deploys from a copy of the checkout, so that charts, values and migrations can be edited. */
  ownCheckout?: boolean;
  name?: string;
  /** One that this is another environment of: with its folders, which it removes. */
  beside?: Sandbox | undefined;
  /** State folder of a sandbox that was stopped: this one begins with a copy of it (snapshot.ts). */
  from?: string;
}

/**
 * @param overrides of the environment file, such as `MINI`; without a platform the Ananta Platform, whose critical path
 * is about 10 s then
 */
export async function createSandbox(
  overrides: Record<string, unknown> = {},
  { ownCheckout = false, name = 'rehearsal', beside, from }: SandboxOptions = {},
): Promise<Sandbox> {
  const folder = beside?.folder ?? (await mkdtemp(join(tmpdir(), 'ananta-e2e-')));
  const environments = join(folder, 'environments');
  if (!beside) await cp(config.environmentsDir, environments, { recursive: true });
  const configure = async (more: Record<string, unknown>): Promise<void> => {
    await writeFile(
      join(environments, `${name}.yaml`),
      stringify({ extends: 'sandbox', description: 'For a test', simulation: { factor: 0.1 }, ...overrides, ...more }),
    );
  };
  await configure({});
  const checkout = ownCheckout ? await copyOfCheckout(join(folder, 'checkout')) : config.repoRoot;
  const stateRoot = join(folder, 'state');
  if (from !== undefined) await cp(from, join(stateRoot, name), { recursive: true, verbatimSymlinks: true });
  await shareCaches(stateRoot);
  const env = {
    ...process.env,
    ANANTA_STATE_DIR: stateRoot,
    ANANTA_ENVIRONMENTS_DIR: environments,
    ANANTA_CACHE_DIR: config.cacheDir,
    NO_COLOR: '1',
  };

  const children = new Set<ReturnType<typeof spawn>>();
  const start = (args: string[], input?: string, more: Record<string, string> = {}): RunningCli => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(checkout, 'src', 'cli', 'main.ts'), ...args, '--env', name],
      { env: { ...env, ...more }, stdio: ['pipe', 'pipe', 'pipe'] },
    );
    child.stdin.end(input ?? '');
    children.add(child);
    child.on('close', () => children.delete(child));
    return follow(child);
  };
  const cli = (args: string[], input?: string): Promise<CliRun> => start(args, input).done;
  const own = { ...readConfig(env), repoRoot: checkout };
  const layout = layoutOf(own, name);
  const begun = new Set<Promise<CliRun>>();
  const look = (args: readonly string[]): Promise<CliRun> => commandInProcess(own, [...args, '--env', name]);
  const begin = (args: readonly string[]): Running => {
    const running = beginInProcess(own, [...args, '--env', name]);
    begun.add(running.done);
    // Callers that wait for it get its failure; without one it must not end the process.
    running.done.catch(() => undefined).finally(() => begun.delete(running.done));
    return running;
  };
  const components = async (): Promise<Component[]> => {
    const { stdout } = await look(['doctor', '--json']);
    return doctorSchema.parse(JSON.parse(stdout)).components;
  };
  const catalog = await loadPlatform(await loadEnvironment(name, own), config);
  return {
    name,
    catalog,
    folder,
    state: join(stateRoot, name),
    checkout,
    start,
    cli,
    look,
    begin,
    command: (args) => commandInProcess(own, args),
    simulate: async (work) => {
      const api = await openApi(layout);
      try {
        return await work(api);
      } finally {
        api.close();
      }
    },
    components,
    configure,
    deploy: async (...args) => {
      const command = ['deploy', '--json', ...args];
      return resultOf(await look(command));
    },
    pidOf: async (component) => {
      const running = await runningDaemon(pidFileOf(layout, component));
      if (running === undefined) throw new Error(`${component} does not run`);
      return running.pid;
    },
    close: async () => {
      // A command that a failed test has left would keep the test's process alive.
      for (const child of children) child.kill('SIGKILL');
      // So would one in this process, and start again what is stopped here: it ends as by a terminal that is closed.
      if (begun.size > 0) process.emit('SIGHUP', 'SIGHUP');
      await Promise.allSettled(begun);
      // How they end in good order is tested where that is asked for; here it would only be waited for.
      await Promise.all(
        COMPONENTS.map(async (component) => {
          const running = await runningDaemon(pidFileOf(layout, component));
          if (running !== undefined) await endProcess(running, 0);
        }),
      );
      await down(name, own, () => undefined);
      if (!beside) await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Uses a sandbox, or makes one with these overrides, and closes it whatever happens. A failure is printed with the ends
 * of the logs, which close would take away.
 */
export async function withSandbox(
  from: Record<string, unknown> | Promise<Sandbox>,
  work: (sandbox: Sandbox) => Promise<void>,
): Promise<void> {
  const sandbox = from instanceof Promise ? await from : await createSandbox(from);
  try {
    await work(sandbox);
  } catch (error) {
    const logs = join(sandbox.state, 'logs');
    for (const name of (await readdir(logs).catch(() => [])).filter((file) => file.endsWith('.log')).sort()) {
      const text = await readFile(join(logs, name), 'utf8');
      console.error(
        `${name}:\n${text
          .trimEnd()
          .split('\n')
          .slice(name === 'worker.log' ? -25 : -5)
          .map((line) => line.slice(0, 500))
          .join('\n')}`,
      );
    }
    throw error;
  } finally {
    await sandbox.close();
  }
}

/** The result line of a deploy. @throws with all that the command said when there is none */
export function resultOf(run: CliRun): ResultLine {
  const last = run.lines.at(-1);
  if (last?.type !== 'result')
    throw new Error(
      `deploy ended with ${run.code} and without a result:\n${run.stdout.slice(-3000)}\n${run.stderr.slice(-3000)}`,
    );
  return last as ResultLine;
}

function follow(child: ChildProcessByStdio<import('node:stream').Writable, Readable, Readable>): RunningCli {
  const { add, lines, line, end } = followLines();
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    stdout += `${text}\n`;
    add(text);
  });
  const done = new Promise<CliRun>((resolve) => {
    child.on('close', (code) => {
      const run = { code, stdout, stderr, lines };
      end(run);
      resolve(run);
    });
  });
  return {
    pid: child.pid ?? 0,
    done,
    kill: (signal) => {
      child.kill(signal);
    },
    line,
  };
}
