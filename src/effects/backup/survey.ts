/** What cluster and Vault hold now, for the plan of a restoration. Changes nothing. */
import type { Clients } from '../../clients/index.ts';
import type { SeenForRestore } from '../../plan/backup/restore.ts';
import { readOwner } from '../owner/record.ts';
import { type FoundRecord, readAllRecords } from './records.ts';
import { seenVersions } from './vault.ts';

export interface RestoreSurvey {
  seen: SeenForRestore;
  /** As they were seen: what is written over has to be these very ones. */
  found: FoundRecord[];
}

export async function surveyForRestore(
  clients: Pick<Clients, 'kubernetes' | 'vault' | 'environment'>,
  keysGiven: boolean,
  signal?: AbortSignal,
): Promise<RestoreSurvey> {
  const { kubernetes, environment } = clients;
  const [clusterUid, owner, found, vault] = await Promise.all([
    kubernetes.clusterUid(signal),
    readOwner(kubernetes, signal),
    readAllRecords(kubernetes, environment.name, signal),
    seenVault(clients, signal),
  ]);
  return {
    found,
    seen: {
      clusterUid,
      owner: owner?.owner,
      records: new Map(found.map(({ object }) => [object.metadata.name, object])),
      vault,
      keysGiven,
    },
  };
}

async function seenVault(
  { vault, environment }: Pick<Clients, 'vault' | 'environment'>,
  signal?: AbortSignal,
): Promise<SeenForRestore['vault']> {
  if (environment.vault.external !== undefined) return { state: 'external' };
  const { state } = await vault.state(signal);
  if (state !== 'open') return { state };
  const { id = 'without an id' } = await vault.health(signal);
  try {
    return { state, id, paths: await seenVersions({ vault }, signal) };
  } catch {
    signal?.throwIfAborted();
    // One that came from a backup asks the cluster from before about logins.
    return { state, id, paths: 'unknown' };
  }
}
