/** `ananta catalog`. */
import { loadCatalog } from '../catalog/index.ts';
import type { Catalog, Health, Service } from '../catalog/schema.ts';
import { loadEnvironment } from '../environment/load.ts';
import type { CatalogOptions } from './commands/catalog.ts';
import type { CliContext } from './context.ts';
import { count, table } from './format.ts';
import { printLines } from './terminal.ts';

export async function printCatalog(context: CliContext, options: CatalogOptions): Promise<void> {
  const environment = await loadEnvironment(options.env, context.config);
  const catalog = loadCatalog();
  if (options.json) {
    const image = (service: Service): string => `${service.image.own ? `${environment.images.prefix}/` : ''}${service.image.repository}:${environment.images.tags[service.name] ?? service.image.tag}`;
    const rows = catalog.services.map((service) => ({ ...service, chart: chartOf(catalog, service, environment.charts), image: image(service) }));
    printLines(context.terminal.stdout, [JSON.stringify(rows, null, 2)]);
    return;
  }
  printLines(context.terminal.stdout, catalogLines(catalog, context.terminal.style));
}

function chartOf(catalog: Catalog, service: Service, source: 'bundled' | 'upstream'): Record<string, string> {
  const upstream = service.chart.upstream === undefined ? undefined : catalog.upstreamCharts[service.chart.upstream];
  return {
    bundled: service.chart.bundled,
    ...(upstream ? { upstream: upstream.name, repository: upstream.repository, versionLine: upstream.versionLine } : {}),
    used: source === 'upstream' && upstream ? 'upstream' : 'bundled',
  };
}

function catalogLines(catalog: Catalog, style: CliContext['terminal']['style']): string[] {
  const rows = new Map(table(catalog.services.map((service) => [
    String(service.number).padStart(2), service.name, service.namespace, service.kind, healthText(service.health),
    service.dependsOn.length === 0 ? '' : `after ${service.dependsOn.join(', ')}`,
  ])).map((line, index) => [catalog.services[index]?.name ?? '', line]));
  const lines = catalog.phases.flatMap(({ number, title }) => [
    style('bold', `Phase ${number}: ${title}`),
    ...catalog.services.filter((service) => service.phase === number).map((service) => `  ${rows.get(service.name) ?? ''}`),
  ]);
  return [...lines, '', `${count(catalog.services.length, 'service')} in ${count(catalog.phases.length, 'phase')} and ${count(catalog.namespaces.length, 'namespace')}. Phases are for reading: a service starts when all it comes after are healthy.`];
}

export function healthText(health: Health): string {
  switch (health.kind) {
    case 'exec': return health.command[0] ?? 'exec';
    case 'http': return `GET ${health.path}`;
    case 'tcp': return `TCP ${health.port}`;
    case 'grpc': return `gRPC ${health.port}`;
    case 'vault': return 'unsealed';
    case 'job': return 'completed';
  }
}
