/** What the cluster holds, release by release: what has not changed since the version before is not read again. */
import { readStoredRelease } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import type { PlatformVersion, VersionedRelease } from '../../contract/version.ts';
import { digestOf } from '../../plan/digest.ts';
import { imagesOfManifest } from '../../plan/images/of-manifest.ts';
import { migrationsOf } from '../../plan/versions/migrations.ts';
import { releaseKey } from '../../plan/observed.ts';
import { allReleases, type Release } from '../../plan/releases.ts';
import { newestOf, type ObservedRevision } from '../../plan/versions/rollback.ts';
import { keyOf } from '../../plan/versions/versions.ts';
import { allJudgedRevisions, type JudgedRevision } from '../release/provenance.ts';
import { isVerified } from '../../plan/ownership/provenance.ts';
import { imageDigests, withDigest } from './image-digests.ts';

/** Helm's revisions of the platform's releases that this environment made, by release key. */
export type OurRevisions = ReadonlyMap<
  string,
  readonly (ObservedRevision & Pick<JudgedRevision, 'secret' | 'labels' | 'provenance'>)[]
>;

export async function readOurRevisions(
  clients: Pick<Clients, 'kubernetes' | 'catalog' | 'environment' | 'vault' | 'redactor'>,
  signal?: AbortSignal,
): Promise<OurRevisions> {
  const { catalog, environment } = clients;
  const { revisions: all } = await allJudgedRevisions(clients, signal);
  return new Map(
    allReleases(catalog)
      .filter(({ kind }) => kind === 'release')
      .flatMap(({ namespace, name }) => {
        const key = releaseKey(namespace, name);
        const ours = (all.get(key) ?? [])
          .filter(({ labels }) => labels[RELEASE_LABELS.environment] === environment.name)
          .map((revision) => ({
            revision: revision.revision,
            status: revision.status,
            proven: isVerified(revision),
            secret: revision.secret,
            labels: revision.labels,
            provenance: revision.provenance,
            // What its labels say is said of the revision that they were copied from.
            ...(revision.provenance === 'foreign'
              ? { digest: undefined, run: undefined, foreign: true as const }
              : { digest: revision.labels[RELEASE_LABELS.digest], run: revision.labels[RELEASE_LABELS.run] }),
          }));
        return ours.length === 0 ? [] : [[key, ours] as const];
      }),
  );
}

/**
 * Releases that are deployed, in the catalog's order. @param previous newest version, from which unchanged entries are
 * taken
 */
export async function currentReleases(
  clients: Pick<Clients, 'kubernetes' | 'catalog'>,
  revisions: OurRevisions,
  previous: PlatformVersion | undefined,
  signal?: AbortSignal,
): Promise<VersionedRelease[]> {
  const known = new Map(previous?.releases.map((release) => [`${keyOf(release)} ${release.digest}`, release]));
  const found = await Promise.all(
    allReleases(clients.catalog).map(async (release): Promise<VersionedRelease[]> => {
      const key = releaseKey(release.namespace, release.name);
      const deployed = appliedByUs(revisions.get(key) ?? []);
      if (deployed?.digest === undefined) return [];
      const { revision, digest } = deployed;
      const before = known.get(`${key} ${digest}`);
      const digests = imageDigests(clients.kubernetes.watches, release);
      if (before !== undefined)
        return [
          { ...before, revision, images: before.images.map((image) => withDigest(image.image, digests, image.digest)) },
        ];
      const content = await contentOf(clients, release, revision, digests, signal);
      return content === undefined
        ? []
        : [
            {
              service: release.service,
              name: release.name,
              namespace: release.namespace,
              job: release.job,
              revision,
              digest,
              ...content,
            },
          ];
    }),
  );
  return found.flat();
}

/** In effect; where somebody else has upgraded it since, the newest that we have applied. */
function appliedByUs<T extends ObservedRevision>(revisions: readonly T[]): T | undefined {
  const newest = newestOf(revisions.filter(({ status }) => status === 'deployed'));
  if (newest?.foreign !== true) return newest;
  return newestOf(revisions.filter(({ status, foreign }) => foreign !== true && status === 'superseded'));
}

async function contentOf(
  { kubernetes, catalog }: Pick<Clients, 'kubernetes' | 'catalog'>,
  { name, namespace }: Release,
  revision: number,
  digests: ReadonlyMap<string, string>,
  signal?: AbortSignal,
): Promise<Pick<VersionedRelease, 'chart' | 'images' | 'migrations'> | undefined> {
  const stored = await readStoredRelease(kubernetes, namespace, name, revision, signal);
  if (stored === undefined) return undefined;
  const { metadata, ...parts } = stored.chart;
  const migrations = catalog.migrations.some(({ service }) => service === name) ? migrationsOf(stored.config) : [];
  return {
    chart: {
      name: metadata.name,
      version: metadata.version,
      digest: digestOf([metadata.name, metadata.version, parts]),
    },
    images: imagesOfManifest(stored.manifest).map((image) => withDigest(image, digests)),
    ...(migrations.length > 0 ? { migrations } : {}),
  };
}
