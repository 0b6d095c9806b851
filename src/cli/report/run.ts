/** `ananta report`: one operation as a file that a browser opens. Reads only. */
import type { Client } from '@temporalio/client';
import { EXIT_CODES } from '../../contract/failures.ts';
import { resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { Environment } from '../../environment/schema.ts';
import { renderReport } from '../../plan/report/html.ts';
import { reportOf, type ReportSource } from '../../plan/report/report.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { writeReport } from '../shared/report-file.ts';
import { printLines } from '../shared/terminal.ts';
import type { ReportOptions } from './options.ts';

type Found = Pick<ReportSource, 'version' | 'changes'> & { run?: { workflowId: string; runId: string } };

export async function runReport(
  context: CliContext,
  wanted: number | undefined,
  options: ReportOptions,
): Promise<ExitCode> {
  if (wanted !== undefined && options.run !== undefined)
    throw refused('A version and --run name two operations: give one of them.');
  const environment = await loadEnvironment(options.env, context.config);
  const { closeTemporal, connectTemporal, latestDeployment, readOperation } = await import(
    '../../clients/temporal/index.ts'
  );
  const { engine } = await resolveConnections(environment, context.config, { engine: true });
  const asked = wanted === undefined ? undefined : await versionAt(context, environment, wanted);
  let client: Client | undefined;
  try {
    client = await connectTemporal(engine, 10);
    const run =
      asked?.run ??
      (options.run === undefined
        ? await latestDeployment(client, environment.name)
        : await operationAt(client, environment.name, options.run));
    if (!run)
      throw refused(
        `This engine knows of no operation on "${environment.name}".`,
        commandLine('deploy', '--env', environment.name),
      );
    const history = await readOperation(client, run);
    if (!history)
      throw refused(
        `The engine no longer has the history of run ${run.runId}: it keeps those of ended operations for a time only.`,
        commandLine('history', ...(wanted === undefined ? [] : [String(wanted)]), '--env', environment.name),
      );
    const { version, changes } = asked ?? (await versionOf(context, environment, run.runId));
    const report = reportOf({
      run: { workflowId: run.workflowId, runId: run.runId },
      environment: environment.name,
      ...history,
      now: Date.now(),
      ...(version ? { version } : {}),
      ...(changes ? { changes } : {}),
    });
    if (options.json) printLines(context.terminal.stdout, [JSON.stringify(report)]);
    else {
      const file = fileName(environment.name, run.runId, version?.version);
      await writeReport(context.terminal.stdout, options.out, file, renderReport(report));
    }
    return EXIT_CODES.done;
  } finally {
    if (client) await closeTemporal(client).catch(() => undefined);
  }
}

/** @param run the first characters of its id. @throws CliError (refused) where the engine has none, or several */
async function operationAt(
  client: Client,
  environment: string,
  run: string,
): Promise<{ workflowId: string; runId: string }> {
  const { operationsOf } = await import('../../clients/temporal/overview.ts');
  const start = run.toLowerCase();
  const found = /^[0-9a-f-]+$/.test(start) ? await operationsOf(client, { environment, run: start }) : [];
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw refused(
    `${found.length === 0 ? 'No run' : `${found.length} runs`} of an operation on "${environment}" that this engine has ${found.length === 0 ? 'begins' : 'begin'} with ${run}.`,
    `${commandLine('audit', '--env', environment)}   (what was done, with its runs)`,
  );
}

function fileName(environment: string, runId: string, version: number | undefined): string {
  return `report-${environment}-${version === undefined ? runId.slice(0, 8) : `version-${version}`}.html`;
}

/** @throws CliError (refused) for a version that is not kept */
async function versionAt(context: CliContext, environment: Environment, wanted: number): Promise<Found> {
  const { withVersions } = await import('../history/read.ts');
  const { chosen } = await import('../../effects/plan/rollback.ts');
  const { readVersions } = await import('../../effects/versions/store.ts');
  return withVersions(context, environment.name, async (clients, { name }) => {
    const version = chosen(name, await readVersions(clients.kubernetes, name), wanted);
    return { ...(await withChanges(clients, name, version)), run: version };
  });
}

/** What the operation left: nothing where it was no success, or where the cluster does not answer. */
async function versionOf(context: CliContext, environment: Environment, runId: string): Promise<Found> {
  const { withVersions } = await import('../history/read.ts');
  const { readVersions } = await import('../../effects/versions/store.ts');
  return withVersions(context, environment.name, async (clients, { name }) => {
    const version = (await readVersions(clients.kubernetes, name)).find((one) => one.runId === runId);
    return version ? withChanges(clients, name, version) : {};
  }).catch(() => ({}));
}

async function withChanges(
  clients: Parameters<typeof import('../../effects/versions/diff.ts').diffVersions>[0],
  environment: string,
  version: NonNullable<Found['version']>,
): Promise<Found> {
  if (version.version === 1) return { version };
  const { diffVersions } = await import('../../effects/versions/diff.ts');
  const since = version.version - 1;
  // The one before may be kept no longer.
  const diff = await diffVersions(clients, environment, since, version.version).catch(() => undefined);
  return { version, ...(diff ? { changes: { since, releases: diff.releases } } : {}) };
}
