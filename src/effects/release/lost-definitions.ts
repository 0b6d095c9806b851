/**
 * Definitions of a chart's `crds` folder that somebody has deleted. Helm makes them when it installs the chart and
 * never again, so the deployer puts them back: before an upgrade, which would not know their kinds.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as tar from 'tar';
import { parseAllDocuments } from 'yaml';
import { isForbidden, type KubernetesClient, paths } from '../../clients/kubernetes/index.ts';
import { definitionNames } from '../../plan/drift/manifest.ts';
import type { ReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { awaitEstablished } from './crds.ts';

type Chart = Pick<ReleaseInputs, 'chartPath' | 'upstream'>;

/** An archive does not change; a folder may, between two plans of one worker. */
const known = new Map<string, { changed: number; names: string[] }>();

/**
 * @param charts by release name; of releases that are there
 * @returns names of those that are gone, by release name; empty where definitions may not be looked at
 */
export async function lostDefinitions(
  kubernetes: Pick<KubernetesClient, 'list'>,
  charts: ReadonlyMap<string, Chart>,
  signal: AbortSignal,
): Promise<Map<string, string[]>> {
  const wanted = await Promise.all(
    [...charts].map(async ([name, chart]) => ({ name, definitions: await namesOf(chart) })),
  );
  const bringing = wanted.filter(({ definitions }) => definitions.length > 0);
  if (bringing.length === 0) return new Map();
  const present = await presentDefinitions(kubernetes, signal);
  if (present === undefined) return new Map();
  return new Map(
    bringing.flatMap(({ name, definitions }) => {
      const lost = definitions.filter((definition) => !present.has(definition));
      return lost.length === 0 ? [] : [[name, lost] as const];
    }),
  );
}

/** Makes those of the chart that are gone. @returns their names @throws DeployError when one is not established */
export async function putBackDefinitions(
  kubernetes: KubernetesClient,
  chart: Chart,
  signal: AbortSignal,
): Promise<string[]> {
  const lost = (await lostDefinitions(kubernetes, new Map([['', chart]]), signal)).get('') ?? [];
  if (lost.length === 0) return [];
  const documents = (await textsOf(chart))
    .flatMap((text) => text.split(/^---.*$/m))
    .map((text) => ({ text, name: definitionNames(text)[0] }));
  const found = documents.filter(({ name }) => name !== undefined && lost.includes(name));
  await Promise.all(
    found.map(({ text, name = '' }) =>
      kubernetes.apply(paths.customResourceDefinition(name), parseAllDocuments(text)[0]?.toJS(), {}, signal),
    ),
  );
  await awaitEstablished(kubernetes, lost, signal);
  return lost;
}

/** @returns undefined where they may not be looked at. One that is being deleted is as good as gone. */
async function presentDefinitions(
  kubernetes: Pick<KubernetesClient, 'list'>,
  signal: AbortSignal,
): Promise<Set<string> | undefined> {
  try {
    const { items } = await kubernetes.list(paths.customResourceDefinitions(), { metadataOnly: true }, signal);
    return new Set(items.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.name));
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

async function namesOf(chart: Chart): Promise<string[]> {
  const place = chart.upstream === undefined ? join(chart.chartPath, 'crds') : chart.chartPath;
  const changed = await stat(place).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
  // It brings none, or is fetched only when it is needed.
  if (changed === undefined) return [];
  const before = known.get(place);
  if (before?.changed === changed) return before.names;
  const names = (await textsOf(chart)).flatMap(definitionNames);
  known.set(place, { changed, names });
  return names;
}

async function textsOf({ chartPath, upstream }: Chart): Promise<string[]> {
  if (upstream !== undefined) {
    const texts: Promise<string>[] = [];
    await tar.list({
      file: chartPath,
      filter: (path) => /^[^/]+\/crds\/[^/]+\.ya?ml$/.test(path),
      onReadEntry: (entry) => {
        texts.push(entry.concat().then((content) => content.toString('utf8')));
      },
    });
    return Promise.all(texts);
  }
  const folder = join(chartPath, 'crds');
  const files = await readdir(folder);
  return Promise.all(files.filter((file) => /\.ya?ml$/.test(file)).map((file) => readFile(join(folder, file), 'utf8')));
}
