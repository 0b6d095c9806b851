/** The last runs: those on record in the cluster, and from the engine those that could not be recorded there. */
import type { Client } from '@temporalio/client';
import { readDriftState } from '../../effects/drift/state.ts';
import { closeTemporal, connectTemporal } from '../../clients/temporal/index.ts';
import { forgiving } from '../../clients/temporal/encryption/readable.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { WORKFLOW_TYPES } from '../../contract/names.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/search-attributes.ts';
import { resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { Environment } from '../../environment/schema.ts';
import { withLiveClients } from '../shared/clients.ts';
import type { DriftOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { type ListedRun, runLines } from '../render/drift.ts';
import { printLines } from '../shared/terminal.ts';

export async function showRuns(context: CliContext, options: DriftOptions & { limit: number }): Promise<ExitCode> {
  const { limit } = options;
  const environment = await loadEnvironment(options.env, context.config);
  const [remembered, known] = await Promise.allSettled([
    withLiveClients(context, environment, (clients, signal) =>
      readDriftState(clients.kubernetes, environment.name, signal),
    ).then(({ runs }) => runs),
    askEngine(context, environment, limit),
  ]);
  if (remembered.status === 'rejected' && known.status === 'rejected') throw remembered.reason;
  const runs = merged(
    remembered.status === 'fulfilled' ? remembered.value : [],
    known.status === 'fulfilled' ? known.value : [],
  ).slice(0, limit);
  const notes = [
    ...(remembered.status === 'rejected'
      ? [`The cluster could not be asked (${text(remembered.reason)}): numbers are missing.`]
      : []),
    ...(known.status === 'rejected'
      ? [`The engine could not be asked (${text(known.reason)}): runs that could not reach the cluster are missing.`]
      : []),
  ];
  const { terminal } = context;
  if (options.json)
    printLines(terminal.stdout, [
      JSON.stringify({ environment: environment.name, runs, ...(notes.length > 0 ? { notes } : {}) }),
    ]);
  else printLines(terminal.stdout, [...runLines(runs, environment.name, terminal.style), ...notes]);
  return EXIT_CODES.done;
}

/** Newest first. The cluster's record of a run says more than the engine's list. */
export function merged(remembered: readonly ListedRun[], known: readonly ListedRun[]): ListedRun[] {
  const seen = new Set(remembered.map(({ runId }) => runId));
  return [...remembered, ...known.filter(({ runId }) => !seen.has(runId))].sort((a, b) =>
    a.at < b.at ? 1 : a.at > b.at ? -1 : 0,
  );
}

async function askEngine(context: CliContext, environment: Environment, limit: number): Promise<ListedRun[]> {
  const { engine } = await resolveConnections(environment, context.config);
  const client = await connectTemporal(engine, 3);
  try {
    return await listRuns(client, environment.name, limit);
  } finally {
    await closeTemporal(client).catch(() => undefined);
  }
}

async function listRuns(client: Client, environment: string, limit: number): Promise<ListedRun[]> {
  const runs: ListedRun[] = [];
  const query = `WorkflowType = '${WORKFLOW_TYPES.drift}' AND ${SEARCH_ATTRIBUTES.environment.name} = '${environment}'`;
  for await (const info of forgiving(client).workflow.list({ query, pageSize: limit })) {
    const running = info.status.name === 'RUNNING';
    runs.push({
      at: (info.closeTime ?? info.startTime).toISOString(),
      workflowId: info.workflowId,
      runId: info.runId,
      outcome: running
        ? 'running'
        : (info.typedSearchAttributes.get(SEARCH_ATTRIBUTES.drift) ?? info.status.name.toLowerCase()),
      ...(info.closeTime ? { seconds: (info.closeTime.getTime() - info.startTime.getTime()) / 1000 } : {}),
    });
    if (runs.length >= limit) break;
  }
  return runs;
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
