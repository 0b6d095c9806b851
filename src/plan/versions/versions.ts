/** Platform versions compared with one another and with what is in the cluster. Pure. */
import type { PlatformVersion, VersionedRelease } from '../../contract/version.ts';
import { releaseKey } from '../observed.ts';

export interface ReleaseChange {
  service: string;
  release: string;
  namespace: string;
  kind: 'added' | 'removed' | 'changed';
  /** `chart 1.2.0 → 1.3.0, image api:1 → :2`, or `values`. */
  what: string;
}

export function keyOf({ namespace, name }: Pick<VersionedRelease, 'namespace' | 'name'>): string {
  return releaseKey(namespace, name);
}

/** Releases of two states by content, whatever their revisions: in the order of the later, removed ones last. */
export function changesBetween(
  before: readonly VersionedRelease[],
  after: readonly VersionedRelease[],
): ReleaseChange[] {
  const old = new Map(before.map((release) => [keyOf(release), release]));
  const kept = new Set(after.map(keyOf));
  const named = ({
    service,
    name,
    namespace,
  }: VersionedRelease): Pick<ReleaseChange, 'service' | 'release' | 'namespace'> => ({
    service,
    release: name,
    namespace,
  });
  return [
    ...after.flatMap((release): ReleaseChange[] => {
      const was = old.get(keyOf(release));
      if (was === undefined) return [{ ...named(release), kind: 'added', what: imagesOf(release) }];
      return was.digest === release.digest
        ? []
        : [{ ...named(release), kind: 'changed', what: describeChange(was, release) }];
    }),
    ...before
      .filter((release) => !kept.has(keyOf(release)))
      .map((release): ReleaseChange => ({ ...named(release), kind: 'removed', what: imagesOf(release) })),
  ];
}

/** Differences in words, the most important first. */
export function describeChange(was: VersionedRelease, is: VersionedRelease): string {
  const parts: string[] = [];
  if (was.chart.version !== is.chart.version || was.chart.name !== is.chart.name)
    parts.push(
      `chart ${was.chart.name} ${was.chart.version} → ${is.chart.name === was.chart.name ? '' : `${is.chart.name} `}${is.chart.version}`,
    );
  else if (was.chart.digest !== is.chart.digest) parts.push(`chart ${is.chart.name} edited`);
  const [imagesBefore, imagesAfter] = [imagesOf(was), imagesOf(is)];
  if (imagesBefore !== imagesAfter) parts.push(`image ${imagesBefore || 'none'} → ${imagesAfter || 'none'}`);
  const [more, fewer] = [missingIn(was, is), missingIn(is, was)];
  if (more.length > 0) parts.push(`migrations added: ${more.join(', ')}`);
  if (fewer.length > 0) parts.push(`migrations gone: ${fewer.join(', ')}`);
  return parts.length === 0 ? 'values' : parts.join('; ');
}

function missingIn(one: VersionedRelease, other: VersionedRelease): string[] {
  const known = new Set((one.migrations ?? []).map(({ id }) => id));
  return (other.migrations ?? []).map(({ id }) => id).filter((id) => !known.has(id));
}

/** Without registries, which seldom say anything to a reader. */
function imagesOf({ images }: VersionedRelease): string {
  return [
    ...new Set(
      images.map(
        ({ image }) =>
          image
            .replace(/@sha256:.*$/, '')
            .split('/')
            .at(-1) ?? image,
      ),
    ),
  ].join(' ');
}

/** Whose content it has: a rollback's is that of the version it went back to. */
export function originOf(versions: readonly PlatformVersion[], version: PlatformVersion): number {
  let at: PlatformVersion | undefined = version;
  let number = version.version;
  // A version restores an earlier one, so this ends.
  while (at?.restores !== undefined && at.restores < at.version) {
    number = at.restores;
    at = versions.find((candidate) => candidate.version === number);
  }
  return number;
}

/**
 * Where a rollback leads that names no version. After a rollback to 2 the next one leads to 1, not forward again.
 * @param digests of what is in the cluster, by release key; undefined where a release is half done
 * @returns undefined when nothing is kept to go back to
 */
export function defaultTarget(
  versions: readonly PlatformVersion[],
  digests: ReadonlyMap<string, string | undefined>,
): PlatformVersion | undefined {
  const sorted = versions.toSorted((a, b) => b.version - a.version);
  const [newest] = sorted;
  if (newest === undefined) return undefined;
  const origin = originOf(versions, newest);
  const previous = sorted.find(({ version }) => version < origin);
  const differing = newest.releases.filter((release) => digests.get(keyOf(release)) !== release.digest);
  const all = new Set(newest.releases.map(keyOf));
  const extra = [...digests.keys()].some((key) => !all.has(key));
  if (differing.length === 0 && !extra) return previous;
  // What differs from the newest version is half of a rollback that was interrupted: it goes on.
  const wanted = new Map(previous?.releases.map((release) => [keyOf(release), release.digest]));
  const isBack = (release: VersionedRelease): boolean =>
    digests.get(keyOf(release)) !== undefined && digests.get(keyOf(release)) === wanted.get(keyOf(release));
  const goesOn =
    !extra &&
    differing.some(isBack) &&
    differing.every((release) => isBack(release) || digests.get(keyOf(release)) === undefined);
  return goesOn ? previous : newest;
}
