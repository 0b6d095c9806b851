/** Everything that goes into one `helm upgrade --install`, read from the checkout, with a digest over it. */
import { join, resolve } from 'node:path';
import type { Catalog } from '../../catalog/schema.ts';
import type { Config } from '../../config.ts';
import { mergeTrees, type Tree } from '../../environment/files/merge.ts';
import { chartFolder, helmFolder, upstreamValuesFile } from '../../environment/platform-folder.ts';
import type { Environment } from '../../environment/schema.ts';
import { shownReleases, showsReleases } from './applications.ts';
import { chartLockFile, type ChartLock, readChartLock } from '../charts/lock.ts';
import { digestOf, folderDigest } from '../digest.ts';
import { helmText } from './kubernetes-yaml.ts';
import { allReleases, findService, type Release } from '../releases.ts';
import { upstreamChart, usesUpstreamChart } from '../upstream/index.ts';
import { withEnvironmentValues } from './environment-values.ts';
import { filesOf, readValues } from './values-files.ts';
import { mergeValues, overlay } from './values.ts';
import { archivePath, wantedChart } from '../charts/wanted.ts';
import type { ChartReference, RenderedInputs } from './rendered.ts';

export interface ReleaseInputs extends ChartReference {
  /** YAML, more exactly JSON, for Helm's standard input. */
  values: string;
  /** 16 hex characters over chart and values. */
  digest: string;
}

/** One look at the checkout: what several releases share is read once. */
interface Look {
  catalog: Catalog;
  environment: Environment;
  imageTags: Readonly<Record<string, string>>;
  helmFolder: string;
  paths: Paths;
  chartDigests: Map<string, Promise<string>>;
  /** Read when the first publisher's chart is met. */
  locks: Map<string, Promise<ChartLock>>;
  rendered: Map<string, Promise<RenderedInputs>>;
}

type Paths = Pick<Config, 'repoRoot' | 'cacheDir'>;

/**
 * @param imageTags tag per release, from the command line
 * @throws Error when a chart folder is missing, or a values file or the lock is broken
 */
export async function releaseInputs(
  catalog: Catalog,
  environment: Environment,
  release: Release,
  imageTags: Readonly<Record<string, string>>,
  config: Paths,
): Promise<ReleaseInputs> {
  return written(await rendered(lookAt(catalog, environment, imageTags, config), release));
}

/** Of all releases at once, by name. The initialisation of Vault is no release and has none. */
export async function allReleaseInputs(
  catalog: Catalog,
  environment: Environment,
  imageTags: Readonly<Record<string, string>>,
  config: Paths,
): Promise<Map<string, ReleaseInputs>> {
  const all = await renderAll(lookAt(catalog, environment, imageTags, config));
  return new Map(all.map((inputs) => [inputs.release.name, written(inputs)]));
}

/** Digests alone, as a plan needs them: nothing is written down as YAML. */
export async function allDigests(
  catalog: Catalog,
  environment: Environment,
  imageTags: Readonly<Record<string, string>>,
  config: Paths,
): Promise<Map<string, string>> {
  const all = await renderAll(lookAt(catalog, environment, imageTags, config));
  return new Map(all.map(({ release, digest }) => [release.name, digest]));
}

function lookAt(catalog: Catalog, environment: Environment, imageTags: Look['imageTags'], config: Paths): Look {
  return {
    catalog,
    environment,
    imageTags,
    helmFolder: helmFolder(environment, config),
    paths: config,
    chartDigests: new Map(),
    locks: new Map(),
    rendered: new Map(),
  };
}

function renderAll(look: Look): Promise<RenderedInputs[]> {
  return Promise.all(
    allReleases(look.catalog)
      .filter(({ kind }) => kind === 'release')
      .map((release) => rendered(look, release)),
  );
}

function rendered(look: Look, release: Release): Promise<RenderedInputs> {
  return remembered(look.rendered, release.name, () => render(look, release));
}

async function render(look: Look, release: Release): Promise<RenderedInputs> {
  const { catalog, environment, imageTags } = look;
  const { chart, valuesFile } = await chartOf(look, release);
  const file = await readValues(valuesFile);
  const followed = mergeTrees(
    mergeTrees(await filesOf(catalog, release, look.helmFolder), overlay(catalog, environment, release, imageTags)),
    showsReleases(release) ? await shown(look) : {},
  );
  const values = withEnvironmentValues(mergeValues(file, followed), environment, release.name, imageTags);
  const content =
    chart.upstream === undefined
      ? await remembered(look.chartDigests, chart.chartPath, () => folderDigest(chart.chartPath))
      : // Not where it comes from: a mirror serves the same archive.
        { name: chart.upstream.name, version: chart.upstream.version, digest: chart.upstream.digest };
  // What a chart renders is not all of it. A Job that has completed does not run again for a label.
  const labelled = chart.owner === undefined || release.job ? [] : [{ owner: chart.owner }];
  const digest = digestOf([content, values, ...labelled]);
  // A changed Job is a new Job: what was applied cannot be changed, and what completed stays as a receipt.
  const name = release.job ? { job: { name: `${release.name}-${digest.slice(0, 8)}` } } : {};
  const only = typeof content === 'string' ? content : content.digest;
  return {
    release,
    chart: only === undefined ? chart : { ...chart, content: only },
    ...(environment.values[release.name] === undefined ? { own: mergeTrees(followed, name) } : {}),
    values: mergeTrees(values, name),
    digest,
  };
}

/**
 * What Argo CD gets to know about all other releases. Tags from the command line are left out: a trial upgrades its
 * service alone, and Argo CD shows it as a difference. So are Jobs: they have run.
 */
async function shown(look: Look): Promise<Tree> {
  const plain = Object.keys(look.imageTags).length === 0 ? look : { ...look, imageTags: {}, rendered: new Map() };
  const others = allReleases(look.catalog).filter(
    (release) => release.kind === 'release' && !release.job && !showsReleases(release),
  );
  return {
    releases: shownReleases(
      look.catalog.applicationSet?.namespaces ?? [],
      await Promise.all(others.map((release) => rendered(plain, release))),
    ),
  };
}

async function chartOf(
  { catalog, environment, helmFolder: helm, paths, locks }: Look,
  release: Release,
): Promise<{ chart: ChartReference; valuesFile: string }> {
  const service = findService(catalog, release.service);
  const folder = environment.chartFolders[release.name];
  if (folder !== undefined)
    return {
      chart: { chartPath: resolve(paths.repoRoot, folder), owner: environment.name },
      valuesFile: join(helm, 'values', `${release.name}.yaml`),
    };
  if (!usesUpstreamChart(environment, service, release)) {
    const chartPath = chartFolder(environment, release.chart, paths);
    // The checkout's charts take the label from their values; nobody knows it of a platform's own.
    const own = chartPath !== join(paths.repoRoot, 'helm', 'charts', release.chart);
    return {
      chart: { chartPath, ...(own ? { owner: environment.name } : {}) },
      valuesFile: join(helm, 'values', `${release.name}.yaml`),
    };
  }
  const file = chartLockFile(environment, paths);
  const chart = wantedChart(
    service.chart.upstream ?? '',
    upstreamChart(catalog, service),
    environment,
    await remembered(locks, file, () => readChartLock(file)),
    paths,
  );
  return {
    chart: { chartPath: archivePath(paths, chart), upstream: chart, owner: environment.name },
    valuesFile: upstreamValuesFile(environment, `${chart.name}.yaml`, paths),
  };
}

function written({ chart, values, digest }: RenderedInputs): ReleaseInputs {
  return { ...chart, values: helmText(values), digest };
}

function remembered<T>(known: Map<string, Promise<T>>, key: string, compute: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? compute();
  known.set(key, found);
  return found;
}
