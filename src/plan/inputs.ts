/** Everything that goes into one `helm upgrade --install`, read from the checkout, with a digest over it. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Catalog } from '../catalog/schema.ts';
import type { Config } from '../config.ts';
import { mergeTrees, type Tree } from '../environment/merge.ts';
import type { Environment } from '../environment/schema.ts';
import { digestOf, folderDigest } from './digest.ts';
import { allReleases, findService, type Release } from './releases.ts';
import { upstreamChart, usesUpstreamChart } from './upstream.ts';
import { mergeValues, overlay } from './values.ts';

export interface ReleaseInputs {
  /** Folder of a bundled chart, or an OCI reference, or the chart's name below `repository`. */
  chartPath: string;
  /** Only with a publisher's chart that is not served by OCI. */
  repository?: string;
  /** Only with a publisher's chart. */
  version?: string;
  /** YAML, for Helm's standard input. */
  values: string;
  /** 16 hex characters over chart and values. */
  digest: string;
}

type Paths = Pick<Config, 'repoRoot'>;
/** Digest per chart folder, so that thirty releases of one chart read it once. */
type ChartDigests = Map<string, Promise<string>>;

/**
 * @param imageTags tag per release, from the command line
 * @throws Error when a chart folder is missing or a values file is broken
 */
export async function releaseInputs(
  catalog: Catalog, environment: Environment, release: Release, imageTags: Readonly<Record<string, string>>, config: Paths, digests: ChartDigests = new Map(),
): Promise<ReleaseInputs> {
  const chart = chartOf(catalog, environment, release, config);
  const file = await readValues(join(config.repoRoot, 'helm', 'values', chart.valuesFile));
  const files = await filesOf(catalog, release, config);
  const values = mergeValues(mergeTrees(file, files), overlay(catalog, environment, release, imageTags));
  const content = chart.reference.version === undefined
    ? await remembered(digests, chart.reference.chartPath, () => folderDigest(chart.reference.chartPath))
    : JSON.stringify(chart.reference);
  const digest = digestOf([content, values]);
  // A changed Job is a new Job: what was applied cannot be changed, and what completed stays as a receipt.
  const final = release.job ? mergeTrees(values, { job: { name: `${release.name}-${digest.slice(0, 8)}` } }) : values;
  return { ...chart.reference, values: stringify(final, { aliasDuplicateObjects: false }), digest };
}

/** Of all releases at once, by name. The bootstrap of Vault is no release and has none. */
export async function allReleaseInputs(
  catalog: Catalog, environment: Environment, imageTags: Readonly<Record<string, string>>, config: Paths,
): Promise<Map<string, ReleaseInputs>> {
  const digests: ChartDigests = new Map();
  const releases = allReleases(catalog).filter(({ kind }) => kind === 'release');
  return new Map(await Promise.all(releases.map(async (release) =>
    [release.name, await releaseInputs(catalog, environment, release, imageTags, config, digests)] as const)));
}

function chartOf(catalog: Catalog, environment: Environment, release: Release, config: Paths): { reference: Pick<ReleaseInputs, 'chartPath' | 'repository' | 'version'>; valuesFile: string } {
  const service = findService(catalog, release.service);
  if (!usesUpstreamChart(environment, service, release)) {
    return { reference: { chartPath: join(config.repoRoot, 'helm', 'charts', release.chart) }, valuesFile: `${release.name}.yaml` };
  }
  const { name, oci, repository, version } = upstreamChart(catalog, service);
  return {
    reference: oci === undefined ? { chartPath: name, repository, version } : { chartPath: oci, version },
    valuesFile: join('upstream', `${name}.yaml`),
  };
}

/** @returns an empty object when there is no such file */
async function readValues(path: string): Promise<Tree> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    return (parse(text) ?? {}) as Tree;
  } catch (error) {
    throw new Error(`${path} is not valid YAML: ${(error as Error).message}`, { cause: error });
  }
}

/** Files that a Job mounts: its migrations below `sql`, its realm below `realm`. */
async function filesOf(catalog: Catalog, release: Release, config: Paths): Promise<Tree> {
  const helm = join(config.repoRoot, 'helm');
  const migration = catalog.migrations.find(({ service }) => service === release.name);
  if (migration) return { files: { sql: await readFolder(join(helm, migration.location), '.sql') } };
  if (catalog.realm.job !== release.name) return {};
  return { files: { realm: { [`${catalog.realm.name}.json`]: await readFile(join(helm, catalog.realm.file), 'utf8') } } };
}

async function readFolder(folder: string, extension: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(extension) && !name.startsWith('.')).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)));
}

function remembered(digests: ChartDigests, key: string, compute: () => Promise<string>): Promise<string> {
  const found = digests.get(key) ?? compute();
  digests.set(key, found);
  return found;
}
