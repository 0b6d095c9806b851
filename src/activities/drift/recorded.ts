/** What Helm recorded of each release: revisions from labels, and the manifest of the one in effect. */
import { z } from 'zod';
import { type Clients } from '../../clients/index.ts';
import { decodeStoredRelease, type StoredRelease } from '../../clients/helm/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import { releaseKey } from '../../plan/observed.ts';
import { allRevisions, type Revision } from '../release/revisions.ts';

const secretSchema = z.looseObject({ data: z.object({ release: z.string() }) });

export interface RecordedReleases {
  /** Oldest first, by release key. */
  revisions: Map<string, Revision[]>;
  /** Of revisions that are in effect, by release key. */
  stored: Map<string, StoredRelease>;
  /** Why a record could not be read, by release key. */
  damaged: Map<string, string>;
}

/** Two requests, however many releases there are. @throws KubernetesError, UnreachableError */
export async function readRecorded(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  signal: AbortSignal,
): Promise<RecordedReleases> {
  const [all, { items }] = await Promise.all([
    allRevisions(kubernetes, signal),
    kubernetes.list(paths.secrets(), { labelSelector: 'owner=helm,status=deployed' }, signal),
  ]);
  const revisions = new Map([...all].map(([key, list]) => [key, list.toSorted((a, b) => a.revision - b.revision)]));
  const stored = new Map<string, StoredRelease>();
  const damaged = new Map<string, string>();
  await Promise.all(
    items.map(async (secret) => {
      const { namespace, name, labels } = secret.metadata;
      const key = releaseKey(namespace ?? '', labels?.['name'] ?? name);
      const newest = revisions.get(key)?.at(-1);
      if (newest?.secret.name !== name) return;
      try {
        stored.set(key, await decodeStoredRelease(secretSchema.parse(secret).data.release));
      } catch (error) {
        damaged.set(key, error instanceof Error ? error.message.slice(0, 120) : String(error));
      }
    }),
  );
  return { revisions, stored, damaged };
}
