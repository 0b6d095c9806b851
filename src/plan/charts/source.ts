/**
 * Which chart a service is made from. Data written by a bundled chart cannot be read by the publisher's, and the other
 * way round.
 */
import { AnantaError } from '../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';
import type { Catalog, Service } from '../../catalog/schema.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import type { ChartSource } from '../../environment/fields/charts.ts';
import type { Environment } from '../../environment/schema.ts';
import { releaseKey, type ObservedCluster } from '../observed.ts';

/** What an environment says about charts. */
export type ChartChoice = Pick<Environment, 'charts' | 'chartOverrides'>;

/** The plan cannot be carried out without harm; nothing was touched. */
export class PlanRefusedError extends AnantaError {
  override name = 'PlanRefusedError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
}

/**
 * Of a service's main release; its steps, and services without a publisher's chart, are always made from bundled ones.
 */
export function chartSource(
  { charts, chartOverrides }: ChartChoice,
  { name, chart }: Pick<Service, 'name' | 'chart'>,
): ChartSource {
  return chart.upstream === undefined ? 'bundled' : (chartOverrides[name] ?? charts);
}

/**
 * Selectors differ between the two, and those of what exists cannot be changed: so stateless services are refused as
 * well.
 * @throws PlanRefusedError that names every service whose release was made from the other chart
 */
export function checkChartSource(
  catalog: Catalog,
  environment: ChartChoice & Pick<Environment, 'name'>,
  observed: Pick<ObservedCluster, 'releases'>,
): void {
  const torn = catalog.services.flatMap((service) => {
    const found = observed.releases.get(releaseKey(service.namespace, service.name));
    const there = found?.status === 'uninstalled' ? undefined : found?.labels[RELEASE_LABELS.charts];
    const wanted = chartSource(environment, service);
    return service.chart.upstream !== undefined && there !== undefined && there !== wanted
      ? [{ service, wanted, there }]
      : [];
  });
  if (torn.length === 0) return;
  const named = (some: typeof torn): string =>
    some.map(({ service, wanted, there }) => `${service.name} (${there}, ${wanted} is asked for)`).join(', ');
  const data = torn.filter(({ service }) => service.stateful);
  const others = torn.filter(({ service }) => !service.stateful);
  throw new PlanRefusedError(
    [
      ...(data.length === 0
        ? []
        : [
            `Environment "${environment.name}" asks for other charts than those that the data of these services was written by, and their images could not read it: ${named(data)}.`,
          ]),
      ...(others.length === 0
        ? []
        : [
            `Environment "${environment.name}" asks for other charts than those that these releases were made from, and their objects cannot be changed into one another: ${named(others)}.`,
          ]),
      `Keep them with chartOverrides: { ${torn.map(({ service, there }) => `${service.name}: ${there}`).join(', ')} }, or ` +
        [
          ...(data.length === 0 ? [] : ['move the data and remove the releases with their volumes first']),
          ...(others.length === 0
            ? []
            : [
                `remove what holds no data and deploy again: ${others.map(({ service }) => `helm uninstall ${service.name} --namespace ${service.namespace}`).join('; ')}`,
              ]),
        ].join(', or ') +
        '.',
    ].join(' '),
  );
}
