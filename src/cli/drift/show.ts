import { surveyDrift } from '../../effects/drift/find-drift.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { shortId } from '../../plan/drift/key.ts';
import { withLiveClients } from '../shared/clients.ts';
import type { DriftOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { reportLines } from '../render/drift.ts';
import { printLines } from '../shared/terminal.ts';

/** Compares now, without engine and worker. */
export async function showDrift(context: CliContext, options: DriftOptions): Promise<ExitCode> {
  const environment = await loadEnvironment(options.env, context.config);
  const { report, flapping } = await withLiveClients(context, environment, (clients, signal) =>
    surveyDrift(clients, { signal }),
  );
  const { terminal } = context;
  if (options.json)
    printLines(terminal.stdout, [
      JSON.stringify({
        ...report,
        findings: report.findings.map((finding) => ({ id: shortId(finding.key), ...finding })),
        flapping,
      }),
    ]);
  else
    printLines(
      terminal.stdout,
      reportLines(report, { flapping, style: terminal.style, columns: terminal.stdout.columns ?? 120 }),
    );
  return report.findings.length === 0 ? EXIT_CODES.done : EXIT_CODES.changes;
}
