/** `ananta rings history` and `rings report`: what became of earlier runs. Reads only. */
import { readRings, ringsRuns, withHolds } from '../../clients/temporal/rings.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { renderRings, type RingsReport } from '../../plan/rings/report.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { writeReport } from '../shared/report-file.ts';
import { printLines } from '../shared/terminal.ts';
import { chosenRun, neverDeployed, onEngine } from './engine.ts';
import type { RingsLookOptions, RingsReportOptions } from './options.ts';
import { ringsHistoryLines } from './render.ts';

export async function runRingsHistory(
  context: CliContext,
  name: string,
  { json }: Pick<RingsLookOptions, 'json'>,
): Promise<ExitCode> {
  const { stdout, style } = context.terminal;
  const runs = await onEngine(context, name, (client) => ringsRuns(client, name));
  if (runs.length === 0) throw neverDeployed(name);
  printLines(
    stdout,
    json ? [JSON.stringify({ name, runs })] : ringsHistoryLines(name, runs, { columns: stdout.columns ?? 120, style }),
  );
  return EXIT_CODES.done;
}

export async function runRingsReport(
  context: CliContext,
  name: string,
  { run, out, json }: RingsReportOptions,
): Promise<ExitCode> {
  const report = await onEngine(context, name, async (client): Promise<RingsReport> => {
    const { runId, startedAt, endedAt, outcome } = await chosenRun(client, name, run);
    const view = await readRings(client, name, runId);
    if (view === undefined)
      throw refused(
        `The engine no longer has run ${runId} of rings "${name}".`,
        `${commandLine('rings', 'history', name)}   (the runs that it has)`,
      );
    const ended = { startedAt, endedAt: endedAt ?? Date.now() };
    // One that was terminated still says of itself that it runs.
    if (endedAt !== undefined && view.outcome === 'running') return { ...view, ...ended, runId, ended: outcome };
    return { ...(await withHolds(client, view)), ...ended, runId };
  });
  if (json) printLines(context.terminal.stdout, [JSON.stringify(report)]);
  else {
    const file = `report-rings-${name}-${report.runId.slice(0, 8)}.html`;
    await writeReport(context.terminal.stdout, out, file, renderRings(report));
  }
  return EXIT_CODES.done;
}
