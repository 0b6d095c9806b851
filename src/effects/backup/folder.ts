/** The folder that an environment's backups go to: where it is, and what of it may go. */
import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Environment } from '../../environment/schema.ts';
import { backupsToRemove } from '../../plan/backup/names.ts';

/** @returns undefined where the environment names none */
export function backupFolder({ backup }: Pick<Environment, 'backup'>, repoRoot: string): string | undefined {
  return backup?.to === undefined ? undefined : resolve(repoRoot, backup.to);
}

/** Removes the oldest ones. @returns their names */
export async function pruneBackups(folder: string, environment: string, keep: number): Promise<string[]> {
  const gone = backupsToRemove(environment, await readdir(folder), keep);
  await Promise.all(gone.map((name) => rm(join(folder, name), { force: true })));
  return gone;
}
