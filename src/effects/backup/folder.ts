/** The folder that an environment's backups go to: where it is, and what of it may go. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../../config.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { Environment } from '../../environment/schema.ts';
import { backupMoment, backupsToRemove } from '../../plan/backup/names.ts';

/** @returns undefined where the environment names none */
export function backupFolder({ backup }: Pick<Environment, 'backup'>, repoRoot: string): string | undefined {
  return backup?.to === undefined ? undefined : resolve(repoRoot, backup.to);
}

/** @throws DeployError where what is written there would go with this worker's pod */
export function requireLasting(
  folder: string,
  { backup }: Pick<Environment, 'backup'>,
  { pod }: Pick<Config, 'pod'>,
  what: 'backup' | 'checkpoint',
): void {
  if (pod === undefined || backup?.claim !== undefined) return;
  throw new DeployError(
    FAILURES.invalidInput,
    `A ${what} in ${folder} would go with this worker's pod: name the claim that it shall have there (backup.claim), then install again.`,
  );
}

/** What `writeArchive` writes to. */
const HALF = /\.[0-9a-f]{8}\.partial$/;
/** Longer than any attempt lasts. */
const LEFT_MILLISECONDS = 24 * 3_600_000;

/** Removes the oldest ones, and what killed attempts have left. @returns names of the backups that went */
export async function pruneBackups(folder: string, environment: string, keep: number): Promise<string[]> {
  const names = await readdir(folder);
  const gone = backupsToRemove(environment, names, keep);
  const halves = names.filter(
    (name) => backupMoment(environment, name.replace(HALF, '')) !== undefined && HALF.test(name),
  );
  const left = await Promise.all(
    halves.map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined);
      return found !== undefined && found.mtimeMs < Date.now() - LEFT_MILLISECONDS ? [name] : [];
    }),
  );
  await Promise.all([...gone, ...left.flat()].map((name) => rm(join(folder, name), { force: true })));
  return gone;
}
