/** The tags and digests with which a target gets the very images of a version. Pure. */
import type { Catalog, Image } from '../../catalog/schema.ts';
import type { VersionedRelease } from '../../contract/version.ts';
import { allReleases } from '../releases.ts';

/**
 * Of every release whose image an environment chooses: the digest that a node has reported, where one has, else the
 * tag. What a chart brings by itself comes with the chart.
 */
export function pinnedImages(catalog: Catalog, releases: readonly VersionedRelease[]): Record<string, string> {
  const byName = new Map(releases.map((release) => [release.name, release]));
  return Object.fromEntries(
    allReleases(catalog).flatMap(({ name, image }): [string, string][] => {
      if (image === undefined) return [];
      const found = byName.get(name)?.images.find((candidate) => isOf(candidate.image, image));
      const version = found === undefined ? undefined : (found.digest ?? versionOf(found.image));
      return version === undefined ? [] : [[name, version]];
    }),
  );
}

/** Whatever registry and prefix an environment has in front of the platform's own images. */
function isOf(reference: string, { repository, own }: Image): boolean {
  const bare = reference.replace(/@sha256:[0-9a-f]+$/, '').replace(/:[^/:]+$/, '');
  return own ? bare === repository || bare.endsWith(`/${repository}`) : bare === repository;
}

function versionOf(reference: string): string | undefined {
  return /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1] ?? /:([^/:@]+)$/.exec(reference)?.[1];
}
