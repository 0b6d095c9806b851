/** Which platform a release belongs to: an environment carries one, and its name stands on each release. */
import type { Catalog } from '../catalog/schema.ts';
import { RELEASE_LABELS } from '../contract/names.ts';
import { DEFAULT_PLATFORM } from '../environment/platform-folder.ts';
import { PlanRefusedError } from './charts/source.ts';
import { releaseKey, type ObservedCluster } from './observed.ts';
import { releasesOf } from './releases.ts';

/** Releases from before there was more than one platform say nothing: they are the default one's. */
export function platformOfLabels(labels: Readonly<Record<string, string>>): string {
  return labels[RELEASE_LABELS.platform] ?? DEFAULT_PLATFORM;
}

/** What a plan is about, for its digest: a plan of one platform is never taken for that of another. */
export function planScope(environment: string, { name }: Pick<Catalog, 'name'>): string {
  return name === DEFAULT_PLATFORM ? environment : `${environment}@${name}`;
}

/**
 * An environment whose file names another platform than the one that was deployed would leave the old one's releases
 * behind and take over whatever bears the same name.
 * @throws PlanRefusedError that names what is deployed
 */
export function checkPlatform(
  catalog: Pick<Catalog, 'name' | 'services'>,
  environment: string,
  { releases }: Pick<ObservedCluster, 'releases'>,
): void {
  // One that says nothing, under a name that is not ours either, is a leftover of whatever was there: no platform's.
  const names = new Set(catalog.services.flatMap(releasesOf).map(({ namespace, name }) => releaseKey(namespace, name)));
  const [other] = [...releases].filter(
    ([key, { status, labels }]) =>
      status !== 'uninstalled' &&
      labels[RELEASE_LABELS.environment] === environment &&
      (names.has(key) || labels[RELEASE_LABELS.platform] !== undefined) &&
      platformOfLabels(labels) !== catalog.name,
  );
  if (other === undefined) return;
  const [key, { labels }] = other;
  const there = platformOfLabels(labels);
  throw new PlanRefusedError(
    `Environment "${environment}" carries the platform "${there}" in this cluster (release ${key}), and its file names "${catalog.name}". ` +
      `Set platform: ${there} again; or destroy what is there first, with the file as it was; or deploy "${catalog.name}" from an environment and to a cluster of its own.`,
  );
}
