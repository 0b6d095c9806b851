/** Tables of the report: what people decided, and what the verification stage found. Pure. */
import { checkKey } from '../../contract/checks.ts';
import { duration } from '../../duration.ts';
import { deedText } from '../steering/acts.ts';
import { evidenceText, headedRow, table, text, time, toneOf } from './markup.ts';
import type { OperationReport } from './report.ts';

export function actTable({ acts, startedAt }: OperationReport): string {
  if (acts.length === 0) return '';
  return section(
    'acts',
    'What people decided',
    ['After', 'When', 'Who', 'What, and why'],
    acts.map((act) => [
      duration(Math.max(0, (Date.parse(act.at) - startedAt) / 1000)),
      time(Date.parse(act.at)),
      text(act.by),
      text(deedText(act)),
    ]),
  );
}

export function checkTable({ checks }: OperationReport): string {
  if (checks.length === 0) return '';
  return section(
    'checks',
    'Checks of the platform',
    ['Check', 'What it proves', 'Outcome', 'Took', 'What came back'],
    checks.map(({ reason, state, from, to, text: answer = '', evidence, ...check }) => [
      text(checkKey(check)),
      text(reason),
      `<span class="${toneOf(state)}">${state}</span>`,
      duration((to - from) / 1000),
      `${text(answer)}${evidence === undefined ? '' : `<br>${evidenceText(evidence)}`}`,
    ]),
  );
}

function section(id: string, title: string, heads: readonly string[], rows: readonly string[][]): string {
  return `<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${table(id, heads, rows.map(headedRow))}</section>`;
}
