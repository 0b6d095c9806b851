/** Two versions, or a version and what runs now, compared by what Helm recorded of them. Changes nothing. */
import { readStoredRelease } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import type { PlatformVersion, VersionedRelease } from '../../contract/version.ts';
import { revisionOf } from '../../plan/versions/history-kept.ts';
import { diffReleases, type Manifests, type ReleaseDiff } from '../../plan/versions/diff.ts';
import { changesBetween, keyOf } from '../../plan/versions/versions.ts';
import { currentReleases, type OurRevisions, readOurRevisions } from './contents.ts';
import { chosen } from '../plan/rollback.ts';
import { readVersions } from './store.ts';

export interface VersionDiff {
  from: PlatformVersion;
  /** Absent: what runs now. */
  to?: PlatformVersion;
  releases: ReleaseDiff[];
}

/** @throws RollbackRefusedError for a version that is not kept */
export async function diffVersions(
  clients: Clients,
  environment: string,
  from: number,
  to: number | undefined,
  signal?: AbortSignal,
): Promise<VersionDiff> {
  const [versions, revisions] = await Promise.all([
    readVersions(clients.kubernetes, environment, signal),
    readOurRevisions(clients, signal),
  ]);
  const before = chosen(environment, versions, from);
  const after = to === undefined ? undefined : chosen(environment, versions, to);
  const releases = after?.releases ?? (await currentReleases(clients, revisions, versions[0], signal));
  const changed = new Set(
    changesBetween(before.releases, releases)
      .filter(({ kind }) => kind === 'changed')
      .map(({ namespace, release }) => keyOf({ namespace, name: release })),
  );
  const [old, current] = await Promise.all(
    [before.releases, releases].map((all) =>
      manifestsOf(
        clients,
        all.filter((release) => changed.has(keyOf(release))),
        revisions,
        signal,
      ),
    ),
  );
  return {
    from: before,
    ...(after === undefined ? {} : { to: after }),
    releases: diffReleases(before.releases, releases, { before: old ?? new Map(), after: current ?? new Map() }),
  };
}

async function manifestsOf(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  releases: readonly VersionedRelease[],
  revisions: OurRevisions,
  signal?: AbortSignal,
): Promise<Manifests> {
  return new Map(
    await Promise.all(
      releases.map(async (release) => {
        const revision = revisionOf(revisions.get(keyOf(release)) ?? [], release.digest);
        const stored =
          revision === undefined
            ? undefined
            : await readStoredRelease(kubernetes, release.namespace, release.name, revision.revision, signal);
        return [keyOf(release), stored?.manifest] as const;
      }),
    ),
  );
}
