/** A real OCI registry on loopback, in memory: go-containerregistry's own program, built once from the module beside this file. */
import { execFile, spawn } from 'node:child_process';
import { mkdir, rename } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { findGo } from '../../bootstrap/tools/gobuild.ts';
import { goEnvironment } from '../../bootstrap/tools/goenv.ts';
import { readConfig } from '../../src/config.ts';

const VERSION = '0.22.1';
const run = promisify(execFile);
const config = readConfig();

export interface Registry {
  /** `localhost:PORT` */
  host: string;
  close: () => Promise<void>;
}

/** @returns undefined where the program is not built yet and there is no Go to build it */
export async function registryProgram(): Promise<string | undefined> {
  const folder = join(config.cacheDir, 'test-tools');
  const program = join(folder, `registry-${VERSION}`);
  if (existsSync(program)) return program;
  const go = await findGo(config.cacheDir, config.childEnv).catch(() => undefined);
  if (go === undefined) return undefined;
  await mkdir(folder, { recursive: true });
  const built = `${program}.${process.pid}`;
  await run(go.path, ['build', '-mod=readonly', '-modcacherw', '-trimpath', '-buildvcs=false', '-o', built, 'github.com/google/go-containerregistry/cmd/registry'], {
    cwd: join(import.meta.dirname, 'registry'), env: goEnvironment(config.cacheDir, config.childEnv),
  });
  await rename(built, program);
  return program;
}

export async function startRegistry(program: string): Promise<Registry> {
  const child = spawn(program, ['-port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => { resolve(); }));
  const port = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const found = /serving on port (\d+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('error', reject);
    void ended.then(() => { reject(new Error('the registry ended at once')); });
  });
  return {
    host: `localhost:${port}`,
    close: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
