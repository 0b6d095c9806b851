/** What goes when a new checkpoint is whole: the oldest, and what killed attempts have left. */
import { basename, isAbsolute } from 'node:path';
import type { Clients } from '../../clients/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import { RECORDS_NAMESPACE } from '../../contract/names.ts';
import { checkpointsToRemove, isCheckpointFile } from '../../plan/checkpoint/checkpoints.ts';
import { type BackupPlace, LEFT_MILLISECONDS } from '../backup/place/index.ts';
import { removeFile } from '../backup/place/folder.ts';
import { endAttempt, readAttempts } from './attempt.ts';
import type { StoredCheckpoint } from './record.ts';
import { removeSnapshots } from './snapshot.ts';

/**
 * What lies where it cannot be reached from here stays on record, and goes when one is taken there. A place that
 * deletes nothing is no reason to do without a checkpoint.
 * @param known the newest first
 * @returns in words what could not be removed
 */
export async function pruneCheckpoints(
  clients: Pick<Clients, 'kubernetes' | 'environment'>,
  place: BackupPlace | undefined,
  of: { known: readonly StoredCheckpoint[]; keep: number },
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await prune(clients, place, of, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return `Older checkpoints${place === undefined ? '' : ` in ${place.where}`} could not be removed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function prune(
  { kubernetes, environment }: Pick<Clients, 'kubernetes' | 'environment'>,
  place: BackupPlace | undefined,
  { known, keep }: { known: readonly StoredCheckpoint[]; keep: number },
  signal: AbortSignal,
): Promise<void> {
  for (const { file, keeper, name, snapshots } of checkpointsToRemove(known, keep)) {
    if (snapshots !== undefined) await removeSnapshots(kubernetes, snapshots, signal);
    // The file first: a record without one would look like a checkpoint.
    if (file !== undefined && (place === undefined || !(await removed(place, { file, keeper }, signal)))) continue;
    await kubernetes.remove(paths.configMap(RECORDS_NAMESPACE, name), {}, signal);
  }
  if (place === undefined) return;
  const files = new Set(known.map(({ file }) => file));
  for (const { at, file, keeper, name } of await readAttempts(kubernetes, environment.name, signal)) {
    if (Date.parse(at) > kubernetes.serverTime() - LEFT_MILLISECONDS) continue;
    if (files.has(file) || (await removed(place, { file, keeper }, signal))) await endAttempt(kubernetes, name, signal);
  }
  await place.sweep((name) => isCheckpointFile(environment.name, name), signal);
}

/** @returns whether it is gone for certain */
async function removed(
  place: BackupPlace,
  { file, keeper }: { file: string; keeper: string | undefined },
  signal: AbortSignal,
): Promise<boolean> {
  const name = basename(file);
  if (place.locationOf(name) === file) return (await place.remove(name, signal)) || keeper === place.keeper;
  // In a folder that the environment named before: here, perhaps.
  return isAbsolute(file) && removeFile(file);
}
