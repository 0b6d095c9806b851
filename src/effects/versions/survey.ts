/**
 * What a rollback is decided from: Helm's revisions, and the content of those that it may go back to. Changes nothing.
 */
import { readStoredRelease } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import type { PlatformVersion } from '../../contract/version.ts';
import { releaseHealth } from '../../plan/health/index.ts';
import { type Crossing, crossings, migrationsOf } from '../../plan/versions/migrations.ts';
import { dataOfManifest } from '../../plan/images/of-manifest.ts';
import { releaseKey } from '../../plan/observed.ts';
import { allReleases, findService } from '../../plan/releases.ts';
import { newestOf } from '../../plan/versions/rollback.ts';
import { keyOf } from '../../plan/versions/versions.ts';
import { knownWorkloads } from '../observe/workloads.ts';
import type { OurRevisions } from './contents.ts';

type Reading = Pick<Clients, 'kubernetes' | 'catalog'>;

/**
 * Migrations that cannot be taken back and that a way back would cross.
 * @param then the revision that each release would go back to; absent for one that did not exist
 */
export async function crossedMigrations(
  { kubernetes, catalog }: Reading,
  revisions: OurRevisions,
  then: (key: string) => number | 'untouched' | undefined,
  signal?: AbortSignal,
): Promise<Crossing[]> {
  const carrying = allReleases(catalog).filter(({ name }) =>
    catalog.migrations.some(({ service }) => service === name),
  );
  const found = await Promise.all(
    carrying.map(async ({ namespace, name }) => {
      const key = releaseKey(namespace, name);
      const now = newestOf(revisions.get(key) ?? []);
      const back = then(key);
      if (now === undefined || back === 'untouched' || back === now.revision) return [];
      const [applied, wanted] = await Promise.all(
        [now.revision, back].map(async (revision) =>
          revision === undefined
            ? []
            : migrationsOf((await readStoredRelease(kubernetes, namespace, name, revision, signal))?.config ?? {}),
        ),
      );
      return crossings(catalog, name, applied ?? [], wanted ?? []);
    }),
  );
  return found.flat();
}

/** Of releases that the version does not have: why they have to stay, by release key. */
export async function dataOfSurplus(
  { kubernetes, catalog }: Reading,
  revisions: OurRevisions,
  target: PlatformVersion,
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const wanted = new Set(target.releases.map(keyOf));
  const surplus = allReleases(catalog).filter(
    ({ kind, namespace, name }) =>
      kind === 'release' && revisions.has(releaseKey(namespace, name)) && !wanted.has(releaseKey(namespace, name)),
  );
  const found = await Promise.all(
    surplus.map(async (release): Promise<[string, string][]> => {
      const { namespace, name, service, position } = release;
      const key = releaseKey(namespace, name);
      const stored = await readStoredRelease(
        kubernetes,
        namespace,
        name,
        newestOf(revisions.get(key) ?? [])?.revision ?? 0,
        signal,
      );
      const data =
        position === 'main' && findService(catalog, service).stateful
          ? 'it keeps data in a volume'
          : dataOfManifest(stored?.manifest ?? '');
      return data === undefined ? [] : [[key, data]];
    }),
  );
  return new Map(found.flat());
}

/** Why services are not healthy now, by name; from the watches. */
export function unhealthyServices({ kubernetes, catalog }: Reading, revisions: OurRevisions): Map<string, string> {
  return new Map(
    allReleases(catalog)
      .filter(({ kind }) => kind === 'release')
      .flatMap((release): [string, string][] => {
        const newest = newestOf(revisions.get(releaseKey(release.namespace, release.name)) ?? []);
        if (newest === undefined) return [];
        if (newest.status !== 'deployed')
          return [[release.service, `${release.name}: revision ${newest.revision} is ${newest.status}`]];
        const workloads = knownWorkloads(kubernetes.watches, release);
        const health = releaseHealth(workloads);
        if (workloads.length > 0 && health.status !== 'healthy')
          return [[release.service, `${release.name}: ${health.message}`]];
        return newest.proven || release.job
          ? []
          : [
              [
                release.service,
                `${release.name}: its health check has not succeeded since revision ${newest.revision}`,
              ],
            ];
      }),
  );
}
