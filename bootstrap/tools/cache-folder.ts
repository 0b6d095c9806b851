/** Where tools are kept: told before a quarter of an hour is spent on building them into a folder that is nowhere. */
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AnantaError } from '../../src/contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../src/contract/failures.ts';
import type { Config } from '../../src/config.ts';

export class CacheFolderError extends AnantaError {
  override name = 'CacheFolderError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
}

const can = (path: string, mode: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  );

/** @throws CacheFolderError when there is no cache, and none can be made */
export async function checkCacheFolder({ cacheDir, childEnv }: Pick<Config, 'cacheDir' | 'childEnv'>): Promise<void> {
  if (await can(cacheDir, constants.F_OK)) return;
  const home = childEnv['HOME'];
  const inHome = home !== undefined && cacheDir.startsWith(`${home}/`);
  let there = dirname(cacheDir);
  while (!(await can(there, constants.F_OK)) && dirname(there) !== there) there = dirname(there);
  const why =
    inHome && !(await can(home, constants.F_OK))
      ? `the home folder ${home} (HOME) does not exist`
      : (await can(there, constants.W_OK))
        ? undefined
        : `${there} cannot be written by this user`;
  if (why === undefined) return;
  throw new CacheFolderError(
    `The cache of tools, ${cacheDir}, is not there and cannot be written: ${why}. Correct HOME, or name another folder in ANANTA_CACHE_DIR.`,
  );
}
