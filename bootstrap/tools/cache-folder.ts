/** Checks the folder for tools before a quarter of an hour is spent on building them into one that does not exist. */
import { access, constants, readdir, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
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

/** Less time than npm takes from its start to its first file, and much more than making two folders takes. */
const AT_ONCE_MS = 30;

/**
 * Where it may, npm makes a home folder that does not exist, for its own log, before anything of ours runs: a mistyped
 * HOME then looks like a new home. Such a folder is as old as what npm has put there, and holds nothing else.
 */
async function madeByNpm(home: string): Promise<boolean> {
  try {
    if (home === userInfo().homedir || (await readdir(home)).join() !== '.npm') return false;
    const [folder, npm] = await Promise.all([stat(home), stat(join(home, '.npm'))]);
    // A file system that keeps no time of creation says 0 of everything.
    return folder.birthtimeMs > 0 && Math.abs(npm.birthtimeMs - folder.birthtimeMs) < AT_ONCE_MS;
  } catch {
    return false;
  }
}

type Folders = Pick<Config, 'cacheDir' | 'childEnv'>;

/** @returns why there is no cache and none can be made, with what to do; undefined where all is well */
export async function cacheFolderProblem({ cacheDir, childEnv }: Folders): Promise<string | undefined> {
  if (await can(cacheDir, constants.F_OK)) return undefined;
  const home = childEnv['HOME'];
  const inHome = home !== undefined && cacheDir.startsWith(`${home}/`);
  let there = dirname(cacheDir);
  while (!(await can(there, constants.F_OK)) && dirname(there) !== there) there = dirname(there);
  const why =
    inHome && !(await can(home, constants.F_OK))
      ? `the home folder ${home} (HOME) does not exist`
      : inHome && (await madeByNpm(home))
        ? `the home folder ${home} (HOME) did not exist before npm put its log there`
        : (await can(there, constants.W_OK))
          ? undefined
          : `${there} cannot be written by this user`;
  if (why === undefined) return undefined;
  return `The cache of tools, ${cacheDir}, is not there and cannot be written: ${why}. Correct HOME, or name another folder in ANANTA_CACHE_DIR.`;
}

/** @throws CacheFolderError when there is no cache, and none can be made */
export async function checkCacheFolder(folders: Folders): Promise<void> {
  const problem = await cacheFolderProblem(folders);
  if (problem !== undefined) throw new CacheFolderError(problem);
}
