/** Programs of the machine that a real node needs, and running them. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { NodeLayout } from './layout.ts';

const run = promisify(execFile);

/** Where Debian and others put what only root runs: it may be missing in a PATH. */
const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
export const MACHINE_PATH = FOLDERS.join(':');
export const CNI_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'] as const;
export const CNI_PLUGINS = ['bridge', 'host-local', 'loopback', 'portmap'] as const;

/** @returns the absolute path, or undefined */
export async function findProgram(name: string, folders: readonly string[] = FOLDERS): Promise<string | undefined> {
  for (const folder of folders) {
    try {
      await access(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // The next one.
    }
  }
  return undefined;
}

/** The folder that has all the plug-ins. */
export async function findCniFolder(): Promise<string | undefined> {
  for (const folder of CNI_FOLDERS) {
    const found = await Promise.all(CNI_PLUGINS.map((plugin) => findProgram(plugin, [folder])));
    if (found.every((path) => path !== undefined)) return folder;
  }
  return undefined;
}

/**
 * @returns what it wrote to its standard output
 * @throws Error with the command line and what it said
 */
export async function command(
  program: string,
  args: readonly string[],
  options: { timeoutMs?: number } = {},
): Promise<string> {
  try {
    const { stdout } = await run(program, [...args], {
      env: { PATH: MACHINE_PATH, LC_ALL: 'C' },
      timeout: options.timeoutMs ?? 30_000,
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(`${[program, ...args].join(' ').slice(0, 300)}: ${stderr?.trim() || message}`, { cause: error });
  }
}

/** Arguments of nsenter that lead into the node. */
export function enter(layout: Pick<NodeLayout, 'net' | 'mnt'>): string[] {
  return [`--net=${layout.net}`, `--mount=${layout.mnt}`, '--'];
}

/** Runs a program of the machine inside the node. */
export function inNode(
  layout: Pick<NodeLayout, 'net' | 'mnt'>,
  program: string,
  args: readonly string[],
  options: { timeoutMs?: number } = {},
): Promise<string> {
  return command('nsenter', [...enter(layout), program, ...args], options);
}
