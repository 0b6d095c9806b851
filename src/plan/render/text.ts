/** The catalog as a table for terminals. */
import type { Catalog, Service } from '../../catalog/schema.ts';
import { withoutImpliedDependencies } from '../graph.ts';

const COLUMN_GAP = 2;

/**
 * @param width columns of the terminal; the last column gives way, down to about 80
 * @returns lines without colour, one service a line, by phase
 */
export function renderCatalogText(catalog: Catalog, width = 100): string {
  const direct = new Map(withoutImpliedDependencies(catalog.services).map(({ name, dependsOn }) => [name, dependsOn]));
  const rows = catalog.services.map((service) => ({ service, cells: cellsOf(service), waits: direct.get(service.name) ?? [] }));
  const header = ['#', 'Service', 'Namespace', 'Chart'];
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)));
  const taken = widths.reduce((sum, columnWidth) => sum + columnWidth + COLUMN_GAP, 0);
  const line = (cells: readonly string[], last: string): string =>
    [...cells.map((cell, column) => (column === 0 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))), last].join(' '.repeat(COLUMN_GAP)).trimEnd();

  const phases = catalog.phases.flatMap(({ number, title }) => {
    const members = rows.filter(({ service }) => service.phase === number);
    return members.length === 0 ? [] : ['', `Phase ${number}: ${title}`, ...members.map(({ cells, waits }) => line(cells, fitted(waits, width - taken)))];
  });
  const jobs = catalog.services.filter(({ kind }) => kind === 'job').length;
  return [
    line(header, 'Waits for'),
    ...phases,
    '',
    `${catalog.services.length} services, ${jobs} of them Jobs, in ${catalog.namespaces.length} namespaces.`,
    '',
  ].join('\n');
}

/** Names of charts beyond this are cut: they repeat the service's name anyway. */
const CHART_WIDTH = 14;

function cellsOf(service: Service): string[] {
  const chart = service.chart.bundled;
  return [String(service.number), service.name, service.namespace, chart.length > CHART_WIDTH ? `${chart.slice(0, CHART_WIDTH - 1)}…` : chart];
}

/** As many names as fit, and how many more there are. */
function fitted(names: readonly string[], width: number): string {
  for (let count = names.length; count > 0; count--) {
    const more = names.length - count;
    const text = names.slice(0, count).join(', ') + (more > 0 ? ` +${more}` : '');
    if (text.length <= width) return text;
  }
  return names.length === 0 ? '' : `${names.length} services`;
}
