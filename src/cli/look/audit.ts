/** `ananta audit`: what was done to the platform, by whom, and how it ended. */
import { readAuditRecords } from '../../effects/records/audit.ts';
import type { AuditRecord } from '../../contract/audit.ts';
import type { CliContext } from '../shared/context.ts';
import { commandLine, count, duration, table, truncate } from '../shared/format.ts';
import { withVersions } from '../history/read.ts';
import { printLines } from '../shared/terminal.ts';

export interface AuditOptions {
  env: string;
  limit: number;
  json?: true;
}

export async function showAudit(context: CliContext, { env, limit, json }: AuditOptions): Promise<void> {
  const records = await withVersions(context, env, ({ kubernetes }, { name }) => readAuditRecords(kubernetes, name));
  const { stdout } = context.terminal;
  const shown = records.slice(0, limit);
  printLines(stdout, json ? [JSON.stringify(shown)] : auditLines(env, shown, records.length, stdout.columns ?? 120));
}

/** @param records the newest first */
export function auditLines(
  environment: string,
  records: readonly AuditRecord[],
  all: number,
  columns: number,
): string[] {
  if (records.length === 0)
    return [`Nothing is on record of ${environment}.`, '', `Next: ${commandLine('history', '--env', environment)}`];
  const rows = records.flatMap(({ at, requestedBy, operation, outcome, seconds, planDigest, acts = [] }) => [
    [at.slice(0, 19).replace('T', ' '), requestedBy, operation, outcome, duration(seconds), planDigest],
    ...acts.map(({ act, by, on = '', reason = '' }) => ['', by, `  ${act}`, on, '', reason]),
  ]);
  return [
    ...table([['Ended (UTC)', 'Who', 'Operation', 'Outcome', 'Took', 'Plan'], ...rows]).map((line) =>
      truncate(line, columns),
    ),
    '',
    `${count(all, 'operation')} of ${environment} on record${all > records.length ? `, the newest ${records.length} shown` : ''}.`,
  ];
}
