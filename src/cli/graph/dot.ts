/** The graph in Graphviz's language. Pure. */
import type { Catalog } from '../../catalog/schema.ts';
import type { Edge } from './edges.ts';

/** One soft colour per phase, so that a service can be placed at a glance wherever the layout puts it. */
const COLOURS = ['#dbeafe', '#dcfce7', '#fef9c3', '#fee2e2', '#ede9fe', '#cffafe', '#ffedd5', '#e0e7ff', '#d1fae5', '#fce7f3', '#e2e8f0', '#fef3c7', '#ccfbf1', '#fae8ff'];

export function dot(catalog: Pick<Catalog, 'phases' | 'services'>, edges: readonly Edge[], criticalPath: readonly string[]): string {
  const lines = [
    'digraph platform {',
    '  rankdir=LR; ranksep=0.7; nodesep=0.16; fontname="Helvetica"; bgcolor="white";',
    '  label="Ananta Platform: an arrow leads from a service to those that wait for it; bold: the longest path; arrow-shaped: a Job"; labelloc=t; fontsize=16;',
    '  node [shape=box, style="filled,rounded", fontname="Helvetica", fontsize=12, margin="0.22,0.07", color="#64748b"];',
    '  edge [color="#94a3b8", arrowsize=0.7];',
  ];
  for (const service of catalog.services) {
    const critical = criticalPath.includes(service.name);
    const attributes = [
      `label="${service.number} ${service.name}"`,
      `fillcolor="${COLOURS[(service.phase - 1) % COLOURS.length] ?? 'white'}"`,
      `tooltip="phase ${service.phase}, namespace ${service.namespace}"`,
      ...(service.kind === 'job' ? ['shape=cds', 'style=filled'] : []),
      ...(critical ? ['penwidth=2.4', 'color="#b91c1c"'] : []),
    ];
    lines.push(`  "${service.name}" [${attributes.join(', ')}];`);
  }
  for (const { from, to, critical } of edges) lines.push(`  "${from}" -> "${to}"${critical ? ' [color="#b91c1c", penwidth=2.4]' : ''};`);
  lines.push(...legend(catalog), '}');
  return `${lines.join('\n')}\n`;
}

function legend(catalog: Pick<Catalog, 'phases'>): string[] {
  const rows = catalog.phases.map(({ number, title }) =>
    `<tr><td bgcolor="${COLOURS[(number - 1) % COLOURS.length] ?? 'white'}" align="left">${number} ${escapeHtml(title)}   </td></tr>`);
  return [`  legend [shape=plain, style="", label=<<table border="0" cellborder="1" cellspacing="0" cellpadding="6" color="#94a3b8">${rows.join('')}</table>>];`];
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
