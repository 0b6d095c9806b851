/** Which backups of a place go when a new one is whole. */
import { backupMoment, backupsToRemove } from '../../plan/backup/names.ts';
import type { BackupPlace } from './place/index.ts';

/** Removes the oldest ones, and what killed attempts have left. @returns names of the backups that went */
export async function pruneBackups(
  place: BackupPlace,
  environment: string,
  keep: number,
  signal?: AbortSignal,
): Promise<string[]> {
  const names = (await place.list(signal)).map(({ name }) => name);
  const gone = backupsToRemove(environment, names, keep);
  await Promise.all(gone.map((name) => place.remove(name, signal)));
  await place.sweep((name) => backupMoment(environment, name) !== undefined, signal);
  return gone;
}
