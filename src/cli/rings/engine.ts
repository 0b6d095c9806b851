/** The engine that the environments of a file of rings share. */
import type { Client } from '@temporalio/client';
import { closeTemporal } from '../../clients/temporal/index.ts';
import { ringsRuns, type RingsRun } from '../../clients/temporal/rings.ts';
import { resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { loadRings } from '../../environment/rings.ts';
import { openEngine } from '../deploy/engine.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';

export async function onEngine<T>(context: CliContext, name: string, work: (client: Client) => Promise<T>): Promise<T> {
  const { rings } = await loadRings(name, context.config);
  const environment = await loadEnvironment(rings[0]?.environments[0] ?? '', context.config);
  const client = await openEngine(environment, await resolveConnections(environment, context.config));
  try {
    return await work(client);
  } finally {
    await closeTemporal(client).catch(() => undefined);
  }
}

/**
 * @param run the first characters of its id; absent: the newest
 * @throws CliError (refused) where the engine has none, or several that begin so
 */
export async function chosenRun(client: Client, name: string, run: string | undefined): Promise<RingsRun> {
  const runs = await ringsRuns(client, name);
  const [newest] = runs;
  if (newest === undefined) throw neverDeployed(name);
  if (run === undefined) return newest;
  const found = runs.filter(({ runId }) => runId.startsWith(run.toLowerCase()));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw refused(
    found.length === 0
      ? `The engine has no run of rings "${name}" whose id begins with ${run}.`
      : `${found.length} runs of rings "${name}" have an id that begins with ${run}.`,
    `${commandLine('rings', 'history', name)}   (the runs that it has)`,
  );
}

export function neverDeployed(name: string): Error {
  return refused(`Rings "${name}" were never deployed by this engine.`, commandLine('rings', 'deploy', name));
}
