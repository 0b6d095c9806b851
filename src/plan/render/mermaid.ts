/** The graph as Mermaid, which Markdown viewers draw. */
import type { Drawing } from './drawing.ts';

/** @returns Mermaid source; phases are boxes, the longest path is drawn thick */
export function renderMermaid({ title, phases, edges }: Drawing): string {
  const boxes = phases
    .filter(({ nodes }) => nodes.length > 0)
    .flatMap(({ number, title: phaseTitle, nodes }) => [
      `  subgraph phase${number}["${number}. ${phaseTitle}"]`,
      // Names are quoted, since Mermaid reads some of them (`end`) as words of its own.
      ...nodes.map(
        ({ service, critical }) => `    s${service.number}["${service.name}"]${critical ? ':::critical' : ''}`,
      ),
      '  end',
    ]);
  const numbers = new Map(
    phases.flatMap(({ nodes }) => nodes.map(({ service }) => [service.name, service.number] as const)),
  );
  const arrows = edges.map(
    ({ from, to, critical }) => `  s${numbers.get(from)} ${critical ? '==>' : '-->'} s${numbers.get(to)}`,
  );
  return [
    '---',
    `title: "${title}"`,
    '---',
    'flowchart LR',
    ...boxes,
    ...arrows,
    '  classDef critical stroke:#c2255c,stroke-width:3px',
    '',
  ].join('\n');
}
