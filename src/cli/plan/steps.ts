import type { OperationPlan } from '../../contract/operations/plan.ts';
import { doesSomething, stepRows } from '../../plan/steps/text.ts';
import { OPERATION_WORDS } from '../render/operation-words.ts';
import { column, truncate, wrap } from '../shared/format.ts';
import type { Style } from '../shared/terminal.ts';

/** Every step with what it waits for and why, in an order in which they can be done. */
export function stepLines(
  {
    operation,
    environment,
    digest,
    steps = [],
    notes = [],
  }: Pick<OperationPlan, 'operation' | 'environment' | 'digest' | 'steps' | 'notes'>,
  { columns, style }: { columns: number; style: Style },
): string[] {
  const rows = stepRows(steps);
  const widest = (pick: (row: (typeof rows)[number]) => string, most: number): number =>
    Math.min(most, Math.max(0, ...rows.map((row) => pick(row).length)));
  const [ids, whens] = [widest(({ id }) => id, 48), widest(({ when }) => when, 36)];
  return [
    style('bold', `Plan of ${OPERATION_WORDS[operation].one} on ${environment}: ${digest}`),
    ...notes.flatMap((note) => wrap(note, Math.min(columns, 100))),
    ...(doesSomething(steps) ? [] : ['Nothing is to be done to the cluster.']),
    ...rows.map(({ number, id, when, reason }) =>
      truncate(
        `${String(number).padStart(4)}  ${column(id, ids)}  ${column(when, whens)}  ${reason}`,
        Math.max(columns, 80),
      ).trimEnd(),
    ),
  ];
}
