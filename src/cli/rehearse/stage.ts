/** The throwaway cluster of a rehearsal: a state folder and an environments folder of its own, put down at the end. */
import { cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Config } from '../../config.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { withoutReferences } from '../../environment/outputs/interpolate.ts';
import type { Environment, EnvironmentInput } from '../../environment/schema.ts';
import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { CliError, refused } from '../shared/failure.ts';

export interface Stage {
  /** For all that runs on it: the environment has its own name there. */
  config: Config;
  environment: Environment;
  /** Of the rehearsal, for files of its own; removed at its end. */
  folder: string;
  /** Is closed once all that runs there has been stopped. */
  closeAfterwards: (close: () => Promise<unknown>) => void;
  /** Stops all that runs there. What it has left by now is what every later run begins with. */
  keep: () => Promise<void>;
  /** Stops all that runs there, and removes what it left: as it was at the beginning. */
  reset: () => Promise<void>;
}

/** What depends on the code alone is made once for all state folders of a checkout. */
const SHARED = ['bundles', join('cache', 'node'), join('cache', 'swc')];

/**
 * Nothing of it is left afterwards, whatever happens, but after a SIGKILL: then the next rehearsal of the environment
 * clears what it finds.
 * @throws CliError (refused) while another rehearsal of the environment runs; what the work throws, and what could not
 *   be cleared up besides
 */
export async function withStage<T>(
  config: Config,
  { name }: Pick<Environment, 'name'>,
  file: EnvironmentInput,
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  const { down, purge } = await import('../../../bootstrap/index.ts');
  const { tryLock } = await import('../../../bootstrap/process/lock.ts');
  const { privateFolder } = await import('../../../bootstrap/process/files.ts');
  const folder = join(config.stateRoot, 'rehearsals', name);
  const own: Config = {
    ...config,
    stateRoot: join(folder, 'state'),
    environmentsDir: join(folder, 'environments'),
    // Of a cluster of the team's nothing is known there.
    kubeconfig: join(folder, 'none'),
  };
  await privateFolder(folder);
  const taken = await tryLock(join(folder, 'lock'));
  if (!taken.held)
    throw refused(`"${name}" is being rehearsed already, by process ${taken.holder.pid}: two would share a cluster.`);
  const closing: (() => Promise<unknown>)[] = [];
  const clear = async (): Promise<void> => {
    await down(name, own, () => undefined);
    for (const close of closing.splice(0)) await close();
    await purge(name, own, () => undefined);
  };
  const state = join(own.stateRoot, name);
  const beginning = join(folder, 'beginning');
  const files = join(folder, 'files');
  let kept = false;
  const keep = async (): Promise<void> => {
    await down(name, own, () => undefined);
    await rename(state, beginning);
    kept = true;
    await restore();
  };
  const restore = (): Promise<void> => cp(beginning, state, { recursive: true, verbatimSymlinks: true });
  const reset = async (): Promise<void> => {
    await clear();
    if (kept) await restore();
  };
  const before = async (): Promise<Stage> => {
    await clear();
    for (const old of [beginning, files]) await rm(old, { recursive: true, force: true });
    await mkdir(files, { recursive: true });
    await mkdir(own.environmentsDir, { recursive: true });
    await mkdir(join(own.stateRoot, 'cache'), { recursive: true });
    for (const part of SHARED) await share(join(config.stateRoot, part), join(own.stateRoot, part));
    await writeFile(join(own.environmentsDir, `${name}.yaml`), stringify(withoutReferences(file)));
    return {
      config: own,
      environment: await loadEnvironment(name, own),
      folder: files,
      closeAfterwards: (close) => closing.push(close),
      keep,
      reset,
    };
  };
  const afterwards = async (): Promise<void> => {
    await clear();
    for (const left of [own.stateRoot, own.environmentsDir, beginning, files])
      await rm(left, { recursive: true, force: true });
  };
  try {
    return await clearedUp(async () => work(await before()), afterwards, folder);
  } finally {
    await taken.lock.release();
  }
}

/**
 * Clears up after the work, however it ends.
 * @param folder what may be left is in there
 * @throws what the work throws. Where clearing up fails as well, CliError with the work's own words and exit code first
 */
export async function clearedUp<T>(work: () => Promise<T>, clear: () => Promise<void>, folder: string): Promise<T> {
  const worked = await work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  try {
    await clear();
  } catch (cause) {
    const isOver = 'value' in worked;
    const own = isOver ? '' : `${wordsOf(worked.error)}\n`;
    throw new CliError(`${own}The throwaway cluster in ${folder} is not put down: ${wordsOf(cause)}`, {
      exitCode: !isOver && worked.error instanceof AnantaError ? worked.error.exitCode : EXIT_CODES.failed,
      next: ['The next rehearsal of the environment clears what it finds.'],
      cause: isOver ? cause : worked.error,
    });
  }
  if ('error' in worked) throw worked.error;
  return worked.value;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function share(shared: string, link: string): Promise<void> {
  await mkdir(shared, { recursive: true });
  await symlink(shared, link).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
}
