/** Which chart a service is made from. Data written by a bundled chart cannot be read by the publisher's, and the other way round. */
import type { Catalog, Service } from '../catalog/schema.ts';
import { RELEASE_LABELS } from '../contract/names.ts';
import type { ChartSource } from '../environment/charts.ts';
import type { Environment } from '../environment/schema.ts';
import { releaseKey, type ObservedCluster } from './observed.ts';

/** What an environment says about charts. */
export type ChartChoice = Pick<Environment, 'charts' | 'chartOverrides'>;

/** The plan cannot be carried out without harm; nothing was touched. */
export class PlanRefusedError extends Error {
  override name = 'PlanRefusedError';
}

/** Of a service's main release; its steps, and services without a publisher's chart, are always made from bundled ones. */
export function chartSource({ charts, chartOverrides }: ChartChoice, { name, chart }: Pick<Service, 'name' | 'chart'>): ChartSource {
  return chart.upstream === undefined ? 'bundled' : chartOverrides[name] ?? charts;
}

/** @throws PlanRefusedError that names every service whose data the other chart could not read */
export function checkChartSource(catalog: Catalog, environment: ChartChoice & Pick<Environment, 'name'>, observed: Pick<ObservedCluster, 'releases'>): void {
  const torn = catalog.services.flatMap((service) => {
    const there = observed.releases.get(releaseKey(service.namespace, service.name))?.labels[RELEASE_LABELS.charts];
    const wanted = chartSource(environment, service);
    return service.stateful && service.chart.upstream !== undefined && there !== undefined && there !== wanted ? [{ name: service.name, wanted, there }] : [];
  });
  if (torn.length === 0) return;
  throw new PlanRefusedError(
    `Environment "${environment.name}" asks for other charts than those that the data of these services was written by, and their images could not read it: `
    + `${torn.map(({ name, wanted, there }) => `${name} (${there}, ${wanted} is asked for)`).join(', ')}. `
    + `Keep them with chartOverrides: { ${torn.map(({ name, there }) => `${name}: ${there}`).join(', ')} }, or move the data and remove the releases with their volumes first.`,
  );
}
