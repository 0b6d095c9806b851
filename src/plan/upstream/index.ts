/** Values of the publishers' charts that follow from catalog and environment. Each chart has keys of its own. */
import type { Catalog, Service, UpstreamChart } from '../../catalog/schema.ts';
import type { Tree } from '../../environment/files/merge.ts';
import { type ChartChoice, chartSource } from '../charts/source.ts';
import type { Release } from '../releases.ts';
import { BITNAMI_CHARTS } from './bitnami.ts';
import { OTHER_CHARTS } from './others.ts';
import type { ChartValues, UpstreamContext } from './context.ts';

const CHARTS: Record<string, ChartValues> = { ...BITNAMI_CHARTS, ...OTHER_CHARTS };

/** Whether a release is made from its publisher's chart: only main releases have one. */
export function usesUpstreamChart(environment: ChartChoice, service: Service, release: Release): boolean {
  return release.position === 'main' && chartSource(environment, service) === 'upstream';
}

/** @throws Error when the catalog names a chart that it does not describe */
export function upstreamChart(catalog: Catalog, service: Service): UpstreamChart {
  const chart = catalog.upstreamCharts[service.chart.upstream ?? ''];
  if (chart === undefined) throw new Error(`The catalog describes no upstream chart for service "${service.name}".`);
  return chart;
}

/** @throws Error when nobody has said how this chart takes its values */
export function upstreamOverlay(context: UpstreamContext): Tree {
  const name = upstreamChart(context.catalog, context.service).overlay ?? context.service.chart.upstream ?? '';
  const values = CHARTS[name];
  if (values === undefined)
    throw new Error(`There are no values for the upstream chart "${name}": add them below src/plan/upstream.`);
  return { fullnameOverride: context.release.name, ...values(context) };
}
