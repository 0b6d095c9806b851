/**
 * A real OCI registry on loopback, in memory: go-containerregistry's own program, built once from the module beside
 * this file.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { goProgram } from '../programs/go-program.ts';

export interface Registry {
  /** `localhost:PORT` */
  host: string;
  close: () => Promise<void>;
}

/** @returns undefined where the program is not built yet and there is no Go to build it */
export function registryProgram(): Promise<string | undefined> {
  return goProgram({
    name: 'registry',
    version: '0.22.1',
    package: 'github.com/google/go-containerregistry/cmd/registry',
  });
}

export async function startRegistry(program: string): Promise<Registry> {
  const child = spawn(program, ['-port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => {
      resolve();
    }),
  );
  const port = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const found = /serving on port (\d+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('error', reject);
    void ended.then(() => {
      reject(new Error('the registry ended at once'));
    });
  });
  return {
    host: `localhost:${port}`,
    close: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
