/** What Helm recorded of each release: revisions from labels, and the manifest of the one in effect. */
import { z } from 'zod';
import { type Clients } from '../../clients/index.ts';
import {
  DamagedRecordError,
  type StoredRelease,
  storedReleaseSchema,
  unpackStoredRelease,
} from '../../clients/helm/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import { releaseKey } from '../../plan/observed.ts';
import { isEdited, type Proofs, provedContent } from '../../plan/ownership/provenance.ts';
import { allJudgedRevisions, type JudgedRevision } from '../release/provenance.ts';

const secretSchema = z.looseObject({ data: z.object({ release: z.string() }) });

export interface RecordedReleases {
  /** Oldest first, by release key. */
  revisions: Map<string, JudgedRevision[]>;
  proofs: Proofs;
  /** Of revisions that are in effect, by release key. */
  stored: Map<string, StoredRelease>;
  /** Why a record could not be read, by release key. */
  damaged: Map<string, string>;
}

/** Few requests, however many releases there are. @throws KubernetesError, UnreachableError */
export async function readRecorded(
  clients: Pick<Clients, 'kubernetes' | 'vault' | 'redactor' | 'environment'>,
  signal: AbortSignal,
): Promise<RecordedReleases> {
  const [{ revisions, proofs }, { items }] = await Promise.all([
    allJudgedRevisions(clients, signal),
    clients.kubernetes.list(paths.secrets(), { labelSelector: 'owner=helm,status=deployed' }, signal),
  ]);
  const stored = new Map<string, StoredRelease>();
  const damaged = new Map<string, string>();
  await Promise.all(
    items.map(async (secret) => {
      const { namespace, name, labels } = secret.metadata;
      const key = releaseKey(namespace ?? '', labels?.['name'] ?? name);
      const all = revisions.get(key) ?? [];
      const newest = all.at(-1);
      if (newest?.secret.name !== name) return;
      try {
        const unpacked = await unpackStoredRelease(secretSchema.parse(secret).data.release);
        stored.set(key, storedReleaseSchema.parse(unpacked));
        if (newest.provenance === 'ours' && proofs.key && isEdited(proofs.key, provedContent(newest.labels), unpacked))
          revisions.set(key, [...all.slice(0, -1), { ...newest, provenance: 'foreign' }]);
      } catch (error) {
        const damage = new DamagedRecordError(
          { namespace: namespace ?? '', name: labels?.['name'] ?? name, revision: newest.revision },
          error,
        );
        damaged.set(key, damage.message);
      }
    }),
  );
  return { revisions, proofs, stored, damaged };
}
