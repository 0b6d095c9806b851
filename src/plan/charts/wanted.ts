/** Which publishers' charts an environment needs: version and digest by the lock, and where each can be had. Pure. */
import { join, resolve } from 'node:path';
import type { Catalog, UpstreamChart } from '../../catalog/schema.ts';
import type { Config } from '../../config.ts';
import { type ChartMirror, chartMirror } from '../../environment/fields/charts.ts';
import type { Environment } from '../../environment/schema.ts';
import type { ChartLock } from './lock.ts';
import { chartSource } from './source.ts';

/** One address that serves a chart. */
export type ChartPlace =
  | { kind: 'oci'; reference: string }
  | { kind: 'repository'; url: string }
  | { kind: 'folder'; path: string };

export interface WantedChart {
  /** In the catalog and in the lock. */
  key: string;
  name: string;
  version: string;
  /** `sha256:…` of the archive; undefined when the lock does not hold this version. */
  digest: string | undefined;
  /** Where it is fetched from: the mirror, where there is one, else its publisher. */
  place: ChartPlace;
  mirror?: ChartMirror;
  /** Where its publisher serves it. */
  published: ChartPlace;
}

type Where = Pick<Config, 'repoRoot'>;

/** @param key of the catalog's table of charts */
export function wantedChart(
  key: string,
  chart: UpstreamChart,
  environment: Pick<Environment, 'chartMirror'>,
  lock: ChartLock,
  where: Where,
): WantedChart {
  const locked = lock.charts[key];
  const mirror = chartMirror(environment);
  const published: ChartPlace =
    chart.oci === undefined ? { kind: 'repository', url: chart.repository } : { kind: 'oci', reference: chart.oci };
  return {
    key,
    name: chart.name,
    version: chart.version,
    digest: locked?.version === chart.version ? locked.digest : undefined,
    place: mirror === undefined ? published : placeBelow(mirror.url, chart.name, where),
    ...(mirror === undefined ? {} : { mirror }),
    published,
  };
}

export interface NeededChart extends WantedChart {
  /** Services that are installed from it; empty when the environment takes none. */
  services: string[];
}

/** All charts of the catalog, in its order. */
export function wantedCharts(catalog: Catalog, environment: Environment, lock: ChartLock, where: Where): NeededChart[] {
  return Object.entries(catalog.upstreamCharts).map(([key, chart]) => ({
    ...wantedChart(key, chart, environment, lock, where),
    services: catalog.services
      .filter((service) => service.chart.upstream === key && chartSource(environment, service) === 'upstream')
      .map(({ name }) => name),
  }));
}

/**
 * Where a verified archive is kept. The digest is part of the name, so that locks of several branches share a folder.
 */
export function archivePath(
  { cacheDir }: Pick<Config, 'cacheDir'>,
  { name, version, digest }: Pick<WantedChart, 'name' | 'version' | 'digest'>,
): string {
  return join(
    cacheDir,
    'charts',
    `${name}-${version}-${digest === undefined ? 'unlocked' : digest.slice('sha256:'.length, 'sha256:'.length + 12)}.tgz`,
  );
}

/** As people and error messages write it. */
export function placeName(place: ChartPlace): string {
  return place.kind === 'oci' ? place.reference : place.kind === 'repository' ? place.url : place.path;
}

function placeBelow(url: string, name: string, { repoRoot }: Where): ChartPlace {
  if (url.startsWith('oci://')) return { kind: 'oci', reference: `${url.replace(/\/+$/, '')}/${name}` };
  return /^https?:/.test(url) ? { kind: 'repository', url } : { kind: 'folder', path: resolve(repoRoot, url) };
}
