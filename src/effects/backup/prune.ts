/** Which backups of a place go when a new one is whole. */
import { backupMoment, backupsToRemove } from '../../plan/backup/names.ts';
import type { BackupPlace } from './place/index.ts';

export interface Pruned {
  /** Names of the backups that went. */
  pruned: string[];
  /** Why some that were to go are still there: no reason to call the new one a failure. */
  left?: string;
}

/** Removes the oldest ones, and what killed attempts have left. */
export async function pruneBackups(
  place: BackupPlace,
  environment: string,
  keep: number,
  signal?: AbortSignal,
): Promise<Pruned> {
  const pruned: string[] = [];
  try {
    const names = (await place.list(signal)).map(({ name }) => name);
    for (const name of backupsToRemove(environment, names, keep)) {
      await place.remove(name, signal);
      pruned.push(name);
    }
    await place.sweep((name) => backupMoment(environment, name) !== undefined, signal);
    return { pruned };
  } catch (error) {
    signal?.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    return { pruned, left: `Older backups in ${place.where} could not be removed: ${why}` };
  }
}
