/** Programs that only tests need, each built once from the Go module beside this file. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../../../bootstrap/process/lock.ts';
import { findGo, goBuildArguments } from '../../../bootstrap/tools/go/build.ts';
import { goEnvironment } from '../../../bootstrap/tools/go/environment.ts';
import { goLock, lockFolder } from '../../../bootstrap/tools/layout.ts';
import { readConfig } from '../../../src/config.ts';

const run = promisify(execFile);

export interface GoProgramSpec {
  /** Also the name of the module's folder. */
  name: string;
  version: string;
  package: string;
}

/** @returns undefined where the program is not built yet and there is no Go to build it */
export async function goProgram({ name, version, package: path }: GoProgramSpec): Promise<string | undefined> {
  const config = readConfig();
  const program = join(config.cacheDir, 'test-tools', `${name}-${version}`);
  if (existsSync(program)) return program;
  const go = await findGo(config.cacheDir, config.childEnv).catch(() => undefined);
  if (go === undefined) return undefined;
  for (const folder of [join(config.cacheDir, 'test-tools'), lockFolder(config.cacheDir)])
    await mkdir(folder, { recursive: true });
  const built = `${program}.${process.pid}`;
  // Whoever has this lock may use Go's caches; they are removed under it, too.
  await withLock(goLock(config.cacheDir), {}, () =>
    run(go.path, [...goBuildArguments(), '-o', built, path], {
      cwd: join(import.meta.dirname, '..', name),
      env: goEnvironment(config.cacheDir, config.childEnv),
    }),
  );
  await rename(built, program);
  return program;
}
