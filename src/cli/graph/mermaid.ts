/** The graph as Mermaid text. Pure. */
import type { Catalog } from '../../catalog/schema.ts';
import type { Edge } from './edges.ts';

export function mermaid(catalog: Pick<Catalog, 'phases' | 'services'>, edges: readonly Edge[]): string {
  const lines = ['flowchart LR'];
  for (const { number, title } of catalog.phases) {
    lines.push(`  subgraph phase${number}["${number} ${title}"]`);
    for (const service of catalog.services) {
      if (service.phase !== number) continue;
      lines.push(`    ${id(service.name)}${service.kind === 'job' ? `(["${service.name}"])` : `["${service.name}"]`}`);
    }
    lines.push('  end');
  }
  for (const edge of edges) lines.push(`  ${id(edge.from)} ${edge.critical ? '==>' : '-->'} ${id(edge.to)}`);
  return `${lines.join('\n')}\n`;
}

/** Mermaid takes `end` and dashes in ids for its own words. */
function id(name: string): string {
  return `s_${name.replaceAll('-', '_')}`;
}
