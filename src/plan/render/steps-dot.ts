/** The steps of a plan in Graphviz' language: what waits for what, coloured by kind of work. */
import type { OperationPlan } from '../../contract/operations/plan.ts';
import type { OperationStep, StepKind } from '../../contract/operations/steps.ts';
import { waitsOf } from '../steps/order.ts';
import { quoted } from './dot.ts';

/** Light enough for black text; the words in every node say the same. */
const FILLS: Partial<Record<StepKind, string>> = {
  apply: '#b2f2bb',
  job: '#d8f5a2',
  checkpoint: '#ffd8a8',
  rollback: '#a5d8ff',
  uninstall: '#ffc9c9',
  prune: '#ffc9c9',
  verify: '#fff3bf',
  'vault-open': '#eebefa',
  'vault-configure': '#eebefa',
  'vault-seed': '#eebefa',
  'secret-sync': '#eebefa',
  services: '#dee2e6',
};

/** @returns DOT source: left to right in the order in which steps can be done; closing steps hang from the last ones */
export function renderStepsDot({
  environment,
  digest,
  operation,
  steps = [],
}: Pick<OperationPlan, 'environment' | 'digest' | 'operation' | 'steps'>): string {
  const shown = steps.filter((step) => step.finally === undefined);
  const ids = new Set(shown.map(({ id }) => id));
  const waitedFor = new Set(shown.flatMap(waitsOf));
  const last = shown.filter(({ id }) => !waitedFor.has(id)).map(({ id }) => id);
  const closing = steps.filter((step) => step.finally !== undefined);
  const edges = [
    ...shown.flatMap((step) =>
      waitsOf(step)
        .filter((id) => ids.has(id))
        .map((from) => [from, step.id] as const),
    ),
    ...closing.flatMap((step, index) => {
      const before = index === 0 ? last : [closing[index - 1]?.id ?? ''];
      return before.map((from) => [from, step.id] as const);
    }),
  ];
  return [
    'digraph steps {',
    '  rankdir=LR; nodesep=0.14; ranksep=0.5; splines=spline; pad=0.3; bgcolor="white"; fontname="Helvetica,Arial,sans-serif";',
    `  labelloc="t"; fontsize=14; label=${quoted(`${operation} of ${environment}, plan ${digest}: ${steps.length} steps`)};`,
    '  node [shape=box, style="filled,rounded", color="#868e96", fontname="Helvetica,Arial,sans-serif", fontsize=10, margin="0.05,0.04", height=0.35];',
    '  edge [color="#adb5bd", arrowsize=0.6];',
    ...steps.map(node),
    ...edges.map(([from, to]) => `  ${quoted(from)} -> ${quoted(to)};`),
    '}',
    '',
  ].join('\n');
}

function node({ id, kind, reason, finally: closing }: OperationStep): string {
  const style = closing === undefined ? '' : ', style="rounded,dashed"';
  return `  ${quoted(id)} [fillcolor="${FILLS[kind] ?? '#f1f3f5'}"${style}, tooltip=${quoted(reason)}];`;
}
