/**
 * Kinds that our charts brought along: removed only where nothing of them is left anywhere, since a definition takes
 * all its objects with it.
 */
import { z } from 'zod';
import type { Clients } from '../../clients/index.ts';
import { KubernetesError, type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import type { RemainingObject } from '../../contract/operations/deploy.ts';
import { chartFolder } from '../../environment/platform-folder.ts';
import { definitionsOf } from '../release/definitions/crds.ts';
import { helmReleaseOf } from '../release/orphans.ts';
import type { Survey } from './survey.ts';
import type { Target } from './deletion.ts';

const definitionSchema = z.object({
  spec: z.object({
    group: z.string(),
    names: z.object({ plural: z.string(), kind: z.string() }),
    versions: z.array(z.object({ name: z.string(), served: z.boolean() })),
  }),
});

/** @returns what may go, and what is kept with the reason */
export async function definitionsToRemove(
  { kubernetes, catalog, config, environment }: Pick<Clients, 'kubernetes' | 'catalog' | 'config' | 'environment'>,
  { namespaces, releases }: Survey,
  signal: AbortSignal,
): Promise<{ targets: Target[]; kept: RemainingObject[] }> {
  const charts = [...new Set(catalog.services.map(({ chart }) => chart.bundled))];
  const bundled = new Set(
    (await Promise.all(charts.map((chart) => definitionsOf(chartFolder(environment, chart, config))))).flat(),
  );
  const { items } = await kubernetes.list(paths.customResourceDefinition('').replace(/\/$/, ''), {}, signal);
  const since = Math.min(
    ...namespaces.filter(({ ours }) => ours).map(({ object }) => Date.parse(object.metadata.creationTimestamp ?? '')),
  );
  const targets: Target[] = [];
  const kept: RemainingObject[] = [];
  for (const object of items) {
    const { name, uid, deletionTimestamp } = object.metadata;
    const marked = helmReleaseOf(object);
    if (marked === undefined ? !bundled.has(name) : !releases.has(marked)) continue;
    const keep = (reason: string): void => {
      kept.push({ kind: 'CustomResourceDefinition', name, state: 'kept', reason });
    };
    // What Helm lays down from a chart's folder carries no mark: only its age shows whether it was there before. One
    // that is going already, and does not get away, is waited for, and what holds it named.
    if (
      marked === undefined &&
      deletionTimestamp === undefined &&
      !(Date.parse(object.metadata.creationTimestamp ?? '') >= since)
    ) {
      keep(
        since === Infinity
          ? 'no namespace of the platform is left that tells whether it was there before'
          : 'it was there before the platform',
      );
      continue;
    }
    const left = await instancesOf(kubernetes, object, signal);
    if (left === undefined)
      targets.push({ kind: 'CustomResourceDefinition', name, path: paths.customResourceDefinition(name), uid });
    else keep(left);
  }
  return { targets, kept };
}

/** @returns undefined when there are none */
async function instancesOf(
  kubernetes: Clients['kubernetes'],
  definition: KubernetesObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { group, names, versions } = definitionSchema.parse(definition).spec;
  const version = versions.find(({ served }) => served)?.name;
  if (version === undefined) return 'it is not served, so nobody can tell whether objects of it are left';
  const path = `/apis/${group}/${version}/${names.plural}`;
  let items: KubernetesObject[];
  try {
    ({ items } = await kubernetes.list(path, { metadataOnly: true, limit: 3 }, signal));
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    return `nobody could look whether objects of it are left: ${error.message}`;
  }
  if (items.length === 0) return undefined;
  return `objects of it are left: ${items.map(({ metadata }) => `${names.kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`).join(', ')}`;
}
