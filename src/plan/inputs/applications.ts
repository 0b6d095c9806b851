/** What Argo CD shows: every release of a namespace, with the chart and the values that the deployer uses. */
import type { Tree } from '../../environment/files/merge.ts';
import type { RenderedInputs } from './rendered.ts';
import type { Release } from '../releases.ts';
import { type ChartPlace, placeName } from '../charts/wanted.ts';

/** Chart of the ApplicationSet: it has no pods. */
export const APPLICATIONS_CHART = 'platform-applications';

export function showsReleases(release: Release): boolean {
  return release.chart === APPLICATIONS_CHART;
}

/**
 * @returns per namespace the releases in it; bundled charts bring their values file themselves, but for `whole` values
 */
export function shownReleases(
  namespaces: readonly string[],
  releases: readonly RenderedInputs[],
): Record<string, Tree[]> {
  return Object.fromEntries(
    namespaces.map((namespace) => [
      namespace,
      releases.filter(({ release }) => release.namespace === namespace).map(shownRelease),
    ]),
  );
}

function shownRelease({ release, chart, own, values }: RenderedInputs): Tree {
  if (chart.upstream === undefined)
    return {
      name: release.name,
      chart: release.chart,
      ...(own === undefined ? { values, whole: true } : { values: own }),
    };
  const { name, version, place, published } = chart.upstream;
  return {
    name: release.name,
    source: { ...repositoryOf(name, place.kind === 'folder' ? published : place), targetRevision: version },
    values,
  };
}

/**
 * Argo CD wants an OCI repository without its scheme, and the chart's name apart. A folder is nothing that it could
 * reach.
 */
function repositoryOf(name: string, place: ChartPlace): { repoURL: string; chart: string } {
  if (place.kind !== 'oci') return { repoURL: placeName(place), chart: name };
  const path = place.reference.replace(/^oci:\/\//, '');
  const slash = path.lastIndexOf('/');
  return { repoURL: path.slice(0, slash), chart: path.slice(slash + 1) };
}
