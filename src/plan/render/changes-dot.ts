/** What a plan would do, in Graphviz' language: services by action, the longest path through what would be done. */
import type { OrphanChange, PlatformChanges, ServiceAction, ServiceChange } from '../diff/types.ts';
import { withoutImpliedDependencies } from '../graph.ts';
import { CHARACTER_WIDTH, CRITICAL, quoted } from './dot.ts';

/** Fill and meaning, light enough for black text; the words in every node say the same. */
const LOOKS: Record<ServiceAction | 'orphan', { fill: string; word: string }> = {
  create: { fill: '#b2f2bb', word: 'create' },
  upgrade: { fill: '#a5d8ff', word: 'upgrade' },
  replace: { fill: '#ffc9c9', word: 'replace' },
  adopt: { fill: '#eebefa', word: 'adopt' },
  retry: { fill: '#ffec99', word: 'apply again' },
  restart: { fill: '#ffec99', word: 'restart' },
  verify: { fill: '#fff3bf', word: 'wait until healthy' },
  skip: { fill: '#f8f9fa', word: 'as wanted' },
  orphan: { fill: '#dee2e6', word: 'not in the catalog' },
};

/** @returns DOT source: left to right in the order of start */
export function renderChangesDot(changes: PlatformChanges): string {
  const { services, orphans, expected } = changes;
  const steps = new Set(expected.path.slice(1).map((name, index) => `${expected.path[index] ?? ''} ${name}`));
  const drawn = withoutImpliedDependencies(services);
  const shown = new Set(drawn.flatMap(({ name, dependsOn }) => dependsOn.map((dependency) => `${dependency} ${name}`)));
  // The path through what is touched may follow an arrow that others imply.
  const extra = [...steps].filter((step) => !shown.has(step)).map((step) => step.split(' ') as [string, string]);
  return [
    'digraph plan {',
    '  rankdir=LR; nodesep=0.16; ranksep=0.6; splines=spline; pad=0.3; bgcolor="white"; fontname="Helvetica,Arial,sans-serif";',
    ...caption(changes),
    '  node [shape=box, style="filled,rounded", color="#868e96", fontname="Helvetica,Arial,sans-serif", fontsize=11, margin="0.05,0.05", height=0.45];',
    '  edge [color="#ced4da", arrowsize=0.6];',
    ...services.map((service) => serviceNode(service, expected.path.includes(service.name))),
    ...orphans.map(orphanNode),
    ...[
      ...drawn.flatMap(({ name, dependsOn }) => dependsOn.map((dependency): [string, string] => [dependency, name])),
      ...extra,
    ].map(
      ([from, to]) =>
        `  ${quoted(from)} -> ${quoted(to)}${steps.has(`${from} ${to}`) ? ` [color="${CRITICAL}", penwidth=2.6, weight=8]` : ''};`,
    ),
    '}',
    '',
  ].join('\n');
}

function serviceNode({ number, name, action, expectedSeconds, reason }: ServiceChange, critical: boolean): string {
  const { fill, word } = LOOKS[action];
  const about = action === 'skip' ? word : `${word}, ${expectedSeconds.toFixed(1)} s`;
  return node(
    name,
    `${number}  ${name}`,
    about,
    fill,
    `${critical ? `, color="${CRITICAL}", penwidth=2.6` : ''}${action === 'skip' ? ', fontcolor="#868e96"' : ''}, tooltip=${quoted(reason === '' ? word : reason)}`,
  );
}

function orphanNode({ name, namespace }: OrphanChange): string {
  return node(
    `orphan ${namespace}/${name}`,
    name,
    LOOKS.orphan.word,
    LOOKS.orphan.fill,
    `, style="filled,dashed", tooltip=${quoted(`${namespace}/${name}`)}`,
  );
}

function node(id: string, title: string, about: string, fill: string, more: string): string {
  const width = Math.max(1.7, Math.max(title.length, about.length) * CHARACTER_WIDTH).toFixed(2);
  return `  ${quoted(id)} [label="${inner(title)}\\n${inner(about)}", width=${width}, fillcolor="${fill}"${more}];`;
}

/** Title and colours that occur, above the graph. */
function caption({ environment, digest, services, orphans, expected }: PlatformChanges): string[] {
  const counts = new Map<keyof typeof LOOKS, number>(Object.keys(LOOKS).map((key) => [key as keyof typeof LOOKS, 0]));
  for (const { action } of services) counts.set(action, (counts.get(action) ?? 0) + 1);
  counts.set('orphan', orphans.length);
  const cell = (fill: string, text: string): string =>
    `<td bgcolor="${fill}" width="24"> </td><td align="left" width="170">${html(text)}</td>`;
  const cells = [
    ...[...counts]
      .filter(([, count]) => count > 0)
      .map(([key, count]) => cell(LOOKS[key].fill, `${count} ${LOOKS[key].word}`)),
    ...(expected.path.length > 1 ? [cell(CRITICAL, `Longest path: ${expected.seconds.toFixed(0)} s`)] : []),
  ];
  return [
    '  labelloc=t; label=<<table border="0" cellspacing="4" cellpadding="2">',
    `    <tr><td colspan="${2 * Math.max(1, cells.length)}"><font point-size="22">${html(`Plan ${digest} for ${environment}`)}</font></td></tr>`,
    `    <tr>${cells.join('')}</tr>`,
    '  </table>>;',
  ];
}

/** Inside a quoted label, whose line break is ours. */
function inner(text: string): string {
  return quoted(text).slice(1, -1);
}

function html(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
