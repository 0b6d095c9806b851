/**
 * Vault's folder stands for the volume of its claim, as a provisioner's disk would: it is emptied when that volume is
 * deleted, and before the volume's object may go. Only a volume that is seen being deleted counts: one that is merely
 * not there, because the cluster has lost its database, says nothing about the data.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Api } from '../cluster/api.ts';
import { STORAGE_FINALIZER } from '../cluster/stages/volumes.ts';
import { endProcess, runningDaemon } from '../process/daemon.ts';
import { withLock } from '../process/lock.ts';

export interface VaultStorage {
  /** Claim whose volume the folder stands for. */
  claim: { namespace: string; name: string };
  /** Vault's own folder; the data are below `data`. */
  folder: string;
  pidFile: string;
  lock: string;
}

const GRACE_MS = 10_000;
const volumesSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        deletionTimestamp: z.string().nullish(),
        finalizers: z.array(z.string()).nullish(),
      }),
      spec: z.object({ claimRef: z.object({ namespace: z.string().optional(), name: z.string() }).nullish() }),
    }),
  ),
});

/**
 * Looks once. Safe to repeat: an interrupted attempt is completed by the next. @returns names of the volumes whose data
 * were deleted @throws ApiError when the API server does not answer
 */
export async function emptyDeletedStorage(api: Pick<Api, 'request'>, storage: VaultStorage): Promise<string[]> {
  const { items } = volumesSchema.parse(await api.request('GET', '/api/v1/persistentvolumes'));
  const own = items.filter(
    ({ spec: { claimRef } }) => claimRef?.namespace === storage.claim.namespace && claimRef.name === storage.claim.name,
  );
  const emptied: string[] = [];
  for (const {
    metadata: { name, deletionTimestamp, finalizers },
  } of own) {
    const others = (finalizers ?? []).filter((finalizer) => finalizer !== STORAGE_FINALIZER);
    const held = others.length < (finalizers ?? []).length;
    if (deletionTimestamp) {
      if (!held) continue;
      await emptyStorage(storage);
      await setFinalizers(api, name, others);
      emptied.push(name);
    } else if (!held) {
      // Made before volumes had this mark.
      await setFinalizers(api, name, [...others, STORAGE_FINALIZER]);
    }
  }
  return emptied;
}

/**
 * The server is ended and stays on record: whoever supervises it, or the next `up`, starts it again on the empty
 * folder.
 */
async function emptyStorage({ folder, pidFile, lock }: VaultStorage): Promise<void> {
  await withLock(lock, {}, async () => {
    const running = await runningDaemon(pidFile);
    if (running !== undefined) await endProcess(running, GRACE_MS);
    await rm(join(folder, 'data'), { recursive: true, force: true });
  });
}

async function setFinalizers(api: Pick<Api, 'request'>, volume: string, finalizers: readonly string[]): Promise<void> {
  await api.request('PATCH', `/api/v1/persistentvolumes/${volume}`, {
    type: 'application/merge-patch+json',
    content: { metadata: { finalizers: finalizers.length > 0 ? finalizers : null } },
  });
}
