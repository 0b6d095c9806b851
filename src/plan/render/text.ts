/** The catalog as a table for terminals. */
import type { Catalog, Service } from '../../catalog/schema.ts';
import { withoutImpliedDependencies } from '../graph.ts';

const COLUMN_GAP = 2;
/** Below this the chart is left out: what a service waits for says more. */
const WIDE = 110;

/**
 * @param width columns of the terminal, 80 or more
 * @returns lines without colour, one service a line, by phase
 */
export function renderCatalogText(catalog: Catalog, width = 100): string {
  const direct = new Map(withoutImpliedDependencies(catalog.services).map(({ name, dependsOn }) => [name, dependsOn]));
  const header = ['#', 'Service', 'Namespace', ...(width < WIDE ? [] : ['Chart'])];
  const rows = catalog.services.map((service) => ({
    service,
    cells: cellsOf(service).slice(0, header.length),
    waits: direct.get(service.name) ?? [],
  }));
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const taken = widths.reduce((sum, columnWidth) => sum + columnWidth + COLUMN_GAP, 0);
  const line = (cells: readonly string[], last: string): string =>
    [
      ...cells.map((cell, column) =>
        column === 0 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      ),
      last,
    ]
      .join(' '.repeat(COLUMN_GAP))
      .trimEnd();

  const phases = catalog.phases.flatMap(({ number, title }) => {
    const members = rows.filter(({ service }) => service.phase === number);
    return members.length === 0
      ? []
      : [
          '',
          `Phase ${number}: ${title}`,
          ...members.map(({ cells, waits }) => line(cells, fitted(waits, width - taken))),
        ];
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

function cellsOf({ number, name, namespace, chart }: Service): string[] {
  return [String(number), name, namespace, chart.bundled];
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
