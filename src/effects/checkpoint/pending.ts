/** Which migrations that cannot be taken back a deployment would run. Changes nothing. */
import { readStoredRelease } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import type { Tree } from '../../environment/files/merge.ts';
import { placeSettings } from '../../plan/backup/places.ts';
import type { ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { type ObservedCluster, releaseKey } from '../../plan/observed.ts';
import { allReleases } from '../../plan/releases.ts';
import { migrationsOf } from '../../plan/versions/migrations.ts';
import { tryJson } from '../../try-json.ts';

/**
 * Only where the catalog wants the database to be kept, the environment has a place for its dump, and the release is
 * there with another content: a first deployment has nothing to lose.
 */
export async function pendingNoReturn(
  { kubernetes, catalog, environment }: Pick<Clients, 'kubernetes' | 'catalog' | 'environment'>,
  inputs: ReadonlyMap<string, ReleaseInputs>,
  observed: ObservedCluster,
  signal: AbortSignal,
): Promise<Map<string, string[]>> {
  const placed = placeSettings(environment, 'checkpoint') !== undefined;
  const kept = new Set(
    catalog.migrations.flatMap(({ service, checkpoint }) =>
      checkpoint === undefined || (checkpoint.kind === 'postgres' && !placed) ? [] : [service],
    ),
  );
  if (kept.size === 0) return new Map();
  const found = await Promise.all(
    allReleases(catalog)
      .filter(({ name }) => kept.has(name))
      .map(async ({ namespace, name }): Promise<[string, string[]][]> => {
        const key = releaseKey(namespace, name);
        const [wanted, now] = [inputs.get(name), observed.releases.get(key)];
        if (wanted === undefined || now === undefined || now.labels[RELEASE_LABELS.digest] === wanted.digest) return [];
        const files = migrationsOf((tryJson(wanted.values) ?? {}) as Tree).filter(
          ({ noReturn }) => noReturn !== undefined,
        );
        if (files.length === 0) return [];
        const stored = await readStoredRelease(kubernetes, namespace, name, now.revision, signal);
        // One that was begun and has failed may have run none of its files, or all.
        const ran = now.status === 'deployed' ? new Set(migrationsOf(stored?.config ?? {}).map(({ id }) => id)) : [];
        const known = new Set(ran);
        const pending = files.map(({ id }) => id).filter((id) => !known.has(id));
        return pending.length === 0 ? [] : [[key, pending]];
      }),
  );
  return new Map(found.flat());
}
