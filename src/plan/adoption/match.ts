/** Which of the platform's releases a found one is: by name, namespace and chart. Pure. */
import type { Catalog } from '../../catalog/schema.ts';
import type { ChartSource } from '../../environment/fields/charts.ts';
import { similarity } from '../../suggest.ts';
import { chartNames } from '../ownership/foreign.ts';
import { allReleases, findService, type Release } from '../releases.ts';
import type { FoundRelease } from './found.ts';

/** Stands in the place of one of ours, and is made from a chart that ours is made from, too. */
export interface Matched {
  found: FoundRelease;
  release: Release;
  source: ChartSource;
}

/** Might be meant as one of ours. */
interface NearMiss {
  found: FoundRelease;
  /** Best first. */
  candidates: { release: Release; score: number; differs: string[] }[];
}

export interface Matching {
  matched: Matched[];
  near: NearMiss[];
  unmatched: FoundRelease[];
  /** Of ours, that nobody has found: the first deployment makes them. */
  missing: Release[];
}

/** Weights of the parts of the score; their sum is 1. */
const WEIGHTS = { name: 0.6, namespace: 0.15, chart: 0.25 };
/** A lower score is not reported as a near miss. */
const NEAR = 0.55;
const SHOWN_CANDIDATES = 3;

/** @param bundledVersion of a bundled chart, by its name; they have names of publishers' charts */
export function matchReleases(
  catalog: Catalog,
  found: readonly FoundRelease[],
  bundledVersion: (chart: string) => string | undefined,
): Matching {
  const ours = allReleases(catalog).filter(({ kind }) => kind === 'release');
  const matching: Matching = { matched: [], near: [], unmatched: [], missing: [] };
  const open: FoundRelease[] = [];
  for (const one of found) {
    const release = ours.find(({ namespace, name }) => namespace === one.namespace && name === one.name);
    const source = release === undefined ? undefined : sourceOf(catalog, release, one, bundledVersion);
    if (release !== undefined && source !== undefined) matching.matched.push({ found: one, release, source });
    else open.push(one);
  }
  const taken = new Set(matching.matched.map(({ release }) => release.name));
  for (const one of open) {
    const candidates = ours
      .filter(({ name }) => !taken.has(name))
      .map((release) => ({ release, ...scored(catalog, release, one) }))
      .filter(({ score }) => score >= NEAR)
      .sort((a, b) => b.score - a.score || a.release.name.localeCompare(b.release.name))
      .slice(0, SHOWN_CANDIDATES);
    if (candidates.length > 0) matching.near.push({ found: one, candidates });
    else matching.unmatched.push(one);
  }
  matching.missing = ours.filter(({ name }) => !taken.has(name));
  return matching;
}

/** @returns undefined where it is made from none of the charts that ours may be made from */
function sourceOf(
  catalog: Catalog,
  release: Release,
  { chart }: FoundRelease,
  bundledVersion: (chart: string) => string | undefined,
): ChartSource | undefined {
  const { upstream } = findService(catalog, release.service).chart;
  const published =
    release.position === 'main' && upstream !== undefined ? catalog.upstreamCharts[upstream] : undefined;
  const bundled = chart.name === release.chart && chart.version === bundledVersion(release.chart);
  if (bundled) return 'bundled';
  return published?.name === chart.name ? 'upstream' : undefined;
}

function scored(catalog: Catalog, release: Release, found: FoundRelease): { score: number; differs: string[] } {
  const alike = similarity(release.name, found.name);
  const contained = release.name.includes(found.name) || found.name.includes(release.name);
  const name = contained ? Math.max(alike, 0.7) : alike;
  const namespace = release.namespace === found.namespace;
  const charts = chartNames(catalog, release);
  const chart = charts.includes(found.chart.name);
  return {
    score: WEIGHTS.name * name + (namespace ? WEIGHTS.namespace : 0) + (chart ? WEIGHTS.chart : 0),
    differs: [
      ...(release.name === found.name ? [] : [`the name (ours: ${release.name})`]),
      ...(namespace ? [] : [`the namespace (ours: ${release.namespace})`]),
      ...(chart ? [] : [`the chart (ours: ${charts.join(' or ')})`]),
    ],
  };
}
