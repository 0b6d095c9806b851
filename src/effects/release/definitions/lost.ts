/**
 * Definitions that a chart brings along and somebody has deleted. Those of its `crds` folder Helm makes when it
 * installs the chart and never again; of those among its templates it knows the kinds only once they are there. So the
 * deployer puts both back, before Helm is asked.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as tar from 'tar';
import { parseAllDocuments } from 'yaml';
import { DamagedRecordError, readStoredRelease, type StoredRelease } from '../../../clients/helm/index.ts';
import { isForbidden, type KubernetesClient, paths } from '../../../clients/kubernetes/index.ts';
import { isTree } from '../../../environment/files/merge.ts';
import { definitionNames } from '../../../plan/drift/manifest.ts';
import { HELM_MANAGER } from '../../../plan/fields/managed.ts';
import { asHelmApplies } from '../../../plan/inputs/helm-marks.ts';
import { kubernetesDocuments } from '../../../plan/inputs/kubernetes-yaml.ts';
import type { ReleaseInputs } from '../../../plan/inputs/release-inputs.ts';
import { awaitEstablished } from './crds.ts';

type Chart = Pick<ReleaseInputs, 'chartPath' | 'upstream'>;

/** The revision of a release that is in effect. */
export interface InEffect {
  namespace: string;
  name: string;
  revision: number;
  /** Of the Secret that holds it. */
  uid: string;
}

/** What a chart brings: names of definitions in its `crds` folder, and whether there are any among its templates. */
interface Brought {
  names: string[];
  templates: boolean;
}

/** An archive does not change; a folder may, between two plans of one worker. */
const known = new Map<string, { changed: number; brought: Brought }>();
/** By uid of the Secret: what a revision has applied does not change. */
const recorded = new Map<string, string[]>();
const KEPT = 500;
const DEFINES = /^\s*["']?kind["']?: *["']?CustomResourceDefinition\b/m;
const CRDS = /^[^/]+\/crds\/[^/]+\.ya?ml$/;

/**
 * @param charts by release name; of releases that are there
 * @returns names of those that are gone, by release name; empty where definitions may not be looked at
 */
export async function lostDefinitions(
  kubernetes: Pick<KubernetesClient, 'list' | 'get'>,
  charts: ReadonlyMap<string, Chart & { inEffect?: InEffect }>,
  signal: AbortSignal,
): Promise<Map<string, string[]>> {
  // Many releases are made from the same chart.
  const looks = new Map<string, Promise<Brought>>();
  const look = (chart: Chart): Promise<Brought> => {
    const found = looks.get(chart.chartPath) ?? broughtBy(chart);
    looks.set(chart.chartPath, found);
    return found;
  };
  const wanted = await Promise.all(
    [...charts].map(async ([name, chart]) => {
      const { names, templates } = await look(chart);
      const made = templates && chart.inEffect ? await appliedDefinitions(kubernetes, chart.inEffect, signal) : [];
      return { name, definitions: [...new Set([...names, ...made])] };
    }),
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

/**
 * Makes those that are gone.
 * @param chart whose `crds` folder counts; absent: what is applied again comes from Helm's record alone
 * @param applied what Helm is about to compare with, or to apply again
 * @returns their names @throws DeployError when one is not established
 */
export async function putBackDefinitions(
  kubernetes: KubernetesClient,
  { chart, applied }: { chart?: Chart | undefined; applied?: Pick<StoredRelease, 'manifest' | 'name' | 'namespace'> },
  signal: AbortSignal,
): Promise<string[]> {
  const files = chart === undefined ? [] : (await broughtBy(chart)).names;
  const templates = applied === undefined ? [] : definitionNames(applied.manifest);
  if (files.length + templates.length === 0) return [];
  const present = await presentDefinitions(kubernetes, signal);
  const isLost = (name: string | undefined): name is string => name !== undefined && present?.has(name) === false;
  const put = async (text: string, of: (object: unknown) => unknown, manager?: string): Promise<string[]> => {
    const documents = text.split(/^---.*$/m).map((document) => ({ document, name: definitionNames(document)[0] }));
    const lost = documents.flatMap(({ document, name }) => (isLost(name) ? [{ document, name }] : []));
    await Promise.all(
      lost.map(({ document, name }) =>
        kubernetes.apply(
          paths.customResourceDefinition(name),
          of(document),
          manager === undefined ? {} : { manager },
          signal,
        ),
      ),
    );
    return lost.map(({ name }) => name);
  };
  const asWritten = (document: unknown): unknown => parseAllDocuments(String(document))[0]?.toJS();
  const asHelm = (document: unknown): unknown => {
    const object: unknown = kubernetesDocuments(String(document))[0]?.toJS();
    return applied !== undefined && isTree(object) ? asHelmApplies(object, applied) : object;
  };
  const made = [
    ...(chart !== undefined && files.some(isLost)
      ? await Promise.all((await textsOf(chart)).map((text) => put(text, asWritten)))
      : []),
    // Helm goes on with them as its own.
    ...(applied !== undefined && templates.some(isLost) ? [await put(applied.manifest, asHelm, HELM_MANAGER)] : []),
  ].flat();
  if (made.length > 0) await awaitEstablished(kubernetes, made, signal);
  return made;
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

/** One request for each release whose chart has definitions among its templates, once for each of its revisions. */
async function appliedDefinitions(
  kubernetes: Pick<KubernetesClient, 'get'>,
  { namespace, name, revision, uid }: InEffect,
  signal: AbortSignal,
): Promise<string[]> {
  const before = recorded.get(uid);
  if (before !== undefined) return before;
  try {
    const stored = await readStoredRelease(kubernetes, namespace, name, revision, signal);
    if (stored === undefined) return [];
    const names = definitionNames(stored.manifest);
    if (recorded.size >= KEPT) recorded.clear();
    recorded.set(uid, names);
    return names;
  } catch (error) {
    // Said of the release where it matters.
    if (error instanceof DamagedRecordError) return [];
    throw error;
  }
}

async function broughtBy(chart: Chart): Promise<Brought> {
  const { chartPath, upstream } = chart;
  const changed = await stat(chartPath).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
  // It is fetched only when it is needed.
  if (changed === undefined) return { names: [], templates: false };
  if (upstream === undefined) {
    const names = (await textsOf(chart)).flatMap(definitionNames);
    return { names, templates: await definesInFolder(chartPath) };
  }
  const before = known.get(chartPath);
  if (before?.changed === changed) return before.brought;
  const brought = { names: [] as string[], templates: false };
  await inArchive(chartPath, (path, text) => {
    if (CRDS.test(path)) brought.names.push(...definitionNames(text));
    else brought.templates ||= DEFINES.test(text);
  });
  known.set(chartPath, { changed, brought });
  return brought;
}

async function definesInFolder(chart: string): Promise<boolean> {
  const folder = join(chart, 'templates');
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const texts = files.filter((file) => /\.(ya?ml|tpl)$/.test(file)).map((file) => readFile(join(folder, file), 'utf8'));
  return (await Promise.all(texts)).some((text) => DEFINES.test(text));
}

/** Texts of the chart's `crds` folder. */
async function textsOf({ chartPath, upstream }: Chart): Promise<string[]> {
  if (upstream !== undefined) {
    const texts: string[] = [];
    await inArchive(chartPath, (path, text) => {
      if (CRDS.test(path)) texts.push(text);
    });
    return texts;
  }
  const folder = join(chartPath, 'crds');
  const files = await readdir(folder).catch(() => []);
  return Promise.all(files.filter((file) => /\.ya?ml$/.test(file)).map((file) => readFile(join(folder, file), 'utf8')));
}

async function inArchive(file: string, look: (path: string, text: string) => void): Promise<void> {
  const texts: Promise<void>[] = [];
  await tar.list({
    file,
    filter: (path) => /\.(ya?ml|tpl)$/.test(path),
    onReadEntry: (entry) => {
      texts.push(entry.concat().then((content) => look(entry.path, content.toString('utf8'))));
    },
  });
  await Promise.all(texts);
}
