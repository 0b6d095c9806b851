/** Data written by a bundled chart cannot be read by the publisher's, and the other way round. */
import type { Catalog } from '../catalog/schema.ts';
import { RELEASE_LABELS } from '../contract/names.ts';
import type { Environment } from '../environment/schema.ts';
import { releaseKey, type ObservedCluster } from './observed.ts';

/** The plan cannot be carried out without harm; nothing was touched. */
export class PlanRefusedError extends Error {
  override name = 'PlanRefusedError';
}

/** @throws PlanRefusedError that names every service whose data the other charts could not read */
export function checkChartSource(catalog: Catalog, environment: Pick<Environment, 'charts' | 'name'>, observed: Pick<ObservedCluster, 'releases'>): void {
  const torn = catalog.services.filter(({ stateful, chart, namespace, name }) => {
    const source = observed.releases.get(releaseKey(namespace, name))?.labels[RELEASE_LABELS.charts];
    return stateful && chart.upstream !== undefined && source !== undefined && source !== environment.charts;
  });
  if (torn.length === 0) return;
  const other = environment.charts === 'bundled' ? 'upstream' : 'bundled';
  throw new PlanRefusedError(
    `Environment "${environment.name}" asks for ${environment.charts} charts, but these services hold data of ${other} ones, which the images could not read: `
    + `${torn.map(({ name }) => name).join(', ')}. Set charts: ${other} again, or move the data and remove the releases with their volumes first.`,
  );
}
