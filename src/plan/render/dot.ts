/** The graph in Graphviz' language. */
import type { Drawing, DrawnNode } from './drawing.ts';

/** Fill per phase, light enough for black text; neighbours differ. */
const FILLS = [
  '#d0ebff',
  '#ffe8cc',
  '#d3f9d8',
  '#fff3bf',
  '#eebefa',
  '#e9ecef',
  '#c5f6fa',
  '#ffd8a8',
  '#d8f5a2',
  '#fcc2d7',
  '#bac8ff',
  '#96f2d7',
  '#ffec99',
  '#ffc9c9',
];
export const CRITICAL = '#c2255c';

/** Inches that a character takes at most, in whatever font the viewer has: Graphviz cannot know it. */
export const CHARACTER_WIDTH = 0.098;
const LEGEND_COLUMNS = 5;

/** @returns DOT source: left to right in the order of start, coloured by phase, the longest path in red */
export function renderDot(drawing: Drawing): string {
  const { phases, edges } = drawing;
  const nodes = phases.flatMap(({ number, nodes: members }) => members.map((member) => node(member, fillOf(number))));
  const arrows = edges.map(
    ({ from, to, critical }) =>
      `  ${quoted(from)} -> ${quoted(to)}${critical ? ` [color="${CRITICAL}", penwidth=2.6, weight=8]` : ''};`,
  );
  return [
    'digraph platform {',
    '  rankdir=LR; nodesep=0.16; ranksep=0.6; splines=spline; pad=0.3; bgcolor="white"; fontname="Helvetica,Arial,sans-serif";',
    ...caption(drawing),
    '  node [shape=box, style="filled,rounded", color="#868e96", fontname="Helvetica,Arial,sans-serif", fontsize=11, margin="0.05,0.05", height=0.45];',
    '  edge [color="#adb5bd", arrowsize=0.6];',
    ...nodes,
    ...arrows,
    '}',
    '',
  ].join('\n');
}

function node({ service, seconds, critical }: DrawnNode, fill: string): string {
  const name = `${service.number}  ${service.name}`;
  const about = `${service.namespace}, ${seconds.toFixed(1)} s${service.kind === 'job' ? ', Job' : ''}`;
  // A plain label is centred by whoever shows the picture; one in HTML is placed for a font that may not be there.
  const label = `"${name}\\n${about}"`;
  const width = Math.max(1.7, Math.max(name.length, about.length) * CHARACTER_WIDTH).toFixed(2);
  const border = critical ? `, color="${CRITICAL}", penwidth=2.6` : '';
  const shape = service.kind === 'job' ? ', style="filled"' : '';
  return `  ${quoted(service.name)} [label=${label}, width=${width}, fillcolor="${fill}"${border}${shape}, tooltip=${quoted(service.description)}];`;
}

/** Title and colours, above the graph. */
function caption({ title, phases, criticalPath, criticalSeconds }: Drawing): string[] {
  const cell = (fill: string, text: string): string =>
    `<td bgcolor="${fill}" width="24"> </td><td align="left" width="270">${text}</td>`;
  const cells = [
    ...phases
      .filter(({ nodes }) => nodes.length > 0)
      .map(({ number, title: text }) => cell(fillOf(number), `${number}. ${text}`)),
    cell(CRITICAL, `Longest path: ${criticalPath.length} services, ${criticalSeconds.toFixed(1)} s`),
  ];
  const rows = Array.from(
    { length: Math.ceil(cells.length / LEGEND_COLUMNS) },
    (_, row) => `    <tr>${cells.slice(row * LEGEND_COLUMNS, (row + 1) * LEGEND_COLUMNS).join('')}</tr>`,
  );
  return [
    '  labelloc=t; label=<<table border="0" cellspacing="4" cellpadding="2">',
    `    <tr><td colspan="${2 * LEGEND_COLUMNS}"><font point-size="22">${title}</font></td></tr>`,
    ...rows,
    '  </table>>;',
  ];
}

function fillOf(phase: number): string {
  return FILLS[(phase - 1) % FILLS.length] ?? '#ffffff';
}

/** A string of Graphviz' language: whatever it holds is text. */
export function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
