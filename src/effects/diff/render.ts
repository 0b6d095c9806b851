/** What Helm would apply, rendered once per content: a digest that was rendered before is read from the cache. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import PQueue from 'p-queue';
import { renderedManifest } from '../../clients/helm/index.ts';
import type { Config } from '../../config.ts';
import { type ManifestObject, manifestObjects } from '../../plan/diff/manifest.ts';
import type { ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { withOwner } from '../../plan/ownership/owner-label.ts';
import { writeFileDurably } from '../../process/files.ts';
import { tidied } from '../../process/kept-files.ts';

export interface Rendering {
  /** Path of Helm. */
  helm: string;
  /** Helm's own folder, away from the user's. */
  home: string;
  config: Pick<Config, 'stateRoot' | 'childEnv'>;
}

const KEPT = 1000;

/**
 * As they are applied: hooks apart, definitions of the chart's `crds` folder included.
 * @throws Error with what Helm says against chart or values
 */
export async function renderedObjects(
  { helm, home, config }: Rendering,
  release: { name: string; namespace: string },
  { chartPath, values, digest, owner }: Pick<ReleaseInputs, 'chartPath' | 'values' | 'digest' | 'owner'>,
): Promise<ManifestObject[]> {
  // Helm makes definitions of the `crds` folder as they are.
  const labelled = (objects: ManifestObject[]): ManifestObject[] =>
    owner === undefined
      ? objects
      : objects.map((one) => (one.definition ? one : { ...one, object: withOwner(one.object, owner) }));
  const file = join(folderOf(config), fileOf(release.name, digest));
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined) return labelled(manifestObjects(known));
  const text = await renderedManifest(helm, home, config.childEnv, {
    release: release.name,
    namespace: release.namespace,
    chartPath,
    values,
  });
  const objects = manifestObjects(text);
  // What was rendered is right also where it cannot be kept.
  await writeFileDurably(file, text).catch(() => undefined);
  return labelled(objects);
}

/** @returns name and version of a publisher's chart that is not on this machine; undefined: what is rendered is here */
export function absentChart({
  upstream,
  chartPath,
}: Pick<ReleaseInputs, 'upstream' | 'chartPath'>): string | undefined {
  return upstream === undefined || existsSync(chartPath) ? undefined : `${upstream.name} ${upstream.version}`;
}

/**
 * Renders each release whose chart is on this machine. Helm is the one that costs: as many at once as there are cores.
 * @returns name and version of the charts that are not, sorted
 */
export async function renderEach<T extends { input: Pick<ReleaseInputs, 'upstream' | 'chartPath'> }>(
  releases: readonly T[],
  render: (release: T) => Promise<void>,
): Promise<string[]> {
  const missing = new Set<string>();
  const queue = new PQueue({ concurrency: availableParallelism() });
  await queue.addAll(
    releases.map((release) => async () => {
      const absent = absentChart(release.input);
      if (absent === undefined) await render(release);
      else missing.add(absent);
    }),
  );
  return [...missing].sort();
}

/**
 * Forgets what nothing uses any more, once it is much. @param inputs by name of the release: theirs stays, since
 * rendering again costs a tenth of a second each
 */
export async function tidyRenderings(
  config: Pick<Config, 'stateRoot'>,
  inputs: Iterable<readonly [string, Pick<ReleaseInputs, 'digest'>]>,
): Promise<void> {
  const used = new Set([...inputs].map(([release, { digest }]) => fileOf(release, digest)));
  await tidied(folderOf(config), used, KEPT);
}

function folderOf({ stateRoot }: Pick<Config, 'stateRoot'>): string {
  return join(stateRoot, 'cache', 'manifests');
}

function fileOf(release: string, digest: string): string {
  return `${release}-${digest}.yaml`;
}
