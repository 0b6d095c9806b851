/** `ananta status`: the newest deployment from the engine's memory, and which components run. Touches nothing. */
import type { Client } from '@temporalio/client';
import type { DeploymentDescription } from '../../clients/temporal/index.ts';
import type { Config } from '../../config.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { driftScheduleIdOfLock, queueIdOfLock } from '../../contract/names.ts';
import { NotRunningError, resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import { realServices } from '../../environment/real-node.ts';
import type { Environment } from '../../environment/schema.ts';
import { componentsOf } from '../shared/components/components.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { workflowUrl } from '../shared/lines.ts';
import { reviveLine } from '../shared/lock-words.ts';
import { applyLive, emptyLive, type LiveView } from '../render/live.ts';
import { statusJson, statusLines } from '../render/status.ts';
import { printLines } from '../shared/terminal.ts';
import type { StatusReport } from './status-report.ts';

export interface StatusOptions {
  env: string;
  json?: true;
}

export async function runStatus(context: CliContext, options: StatusOptions): Promise<ExitCode> {
  const environment = await loadEnvironment(options.env, context.config);
  const [components, engine, pods] = await Promise.all([
    componentsOf(environment, context.config),
    askEngine(context, environment),
    podsOf(environment, context.config),
  ]);
  const report: StatusReport = { environment: environment.name, components, ...pods, ...engine };
  const { terminal } = context;
  if (options.json) printLines(terminal.stdout, [JSON.stringify(statusJson(report, Date.now()))]);
  else
    printLines(
      terminal.stdout,
      statusLines(report, { now: Date.now(), columns: terminal.stdout.columns ?? 100, style: terminal.style }),
    );
  return inOrder(report) ? EXIT_CODES.done : EXIT_CODES.failed;
}

async function podsOf(environment: Environment, config: Config): Promise<Pick<StatusReport, 'pods'>> {
  if (!('embedded' in environment.cluster)) return {};
  const catalog = await loadPlatform(environment, config);
  const real = realServices(environment, catalog);
  return { pods: { real, simulated: catalog.services.map(({ name }) => name).filter((name) => !real.includes(name)) } };
}

/** Nothing has failed, as far as is known. */
export function inOrder({ deployment, components }: StatusReport): boolean {
  if (!deployment || components.some(({ healthy }) => !healthy)) return false;
  const { description, view } = deployment;
  if (description.status !== 'RUNNING') return description.status === 'COMPLETED';
  return !Object.values(view.progress.services).some(({ state }) => state === 'failed');
}

async function askEngine(
  context: CliContext,
  environment: Environment,
): Promise<Pick<StatusReport, 'deployment' | 'engineProblem' | 'holder' | 'queued' | 'schedule' | 'revive'>> {
  // Loaded late: the client takes half a second, and a wrong name should be refused at once.
  const { closeTemporal, connectTemporal, createSchedules, latestDeployment } = await import(
    '../../clients/temporal/index.ts'
  );
  const { lockHolderOf, queuedRequest } = await import('../../clients/temporal/lock.ts');
  let client: Client | undefined;
  try {
    const { engine } = await resolveConnections(environment, context.config);
    client = await connectTemporal(engine, 3);
    const description = await latestDeployment(client, environment.name);
    if (!description) return {};
    const url = workflowUrl(engine, description);
    const [holder, queued, schedule] = await Promise.all([
      lockHolderOf(client, description.workflowId),
      queuedRequest(client, queueIdOfLock(description.workflowId)),
      // What runs matters more than what is planned.
      createSchedules(client)
        .describe(driftScheduleIdOfLock(description.workflowId))
        .catch(() => undefined),
    ]);
    return {
      ...(holder ? { holder } : {}),
      ...(queued ? { queued } : {}),
      ...(schedule ? { schedule } : {}),
      ...(holder?.stalled === undefined ? {} : { revive: reviveLine(environment) }),
      deployment: { description, ...(await withPast(client, description)), ...(url === undefined ? {} : { url }) },
    };
  } catch (error) {
    if (error instanceof NotRunningError) return { engineProblem: error.message };
    return { engineProblem: `The engine does not answer: ${error instanceof Error ? error.message : String(error)}` };
  } finally {
    if (client) await closeTemporal(client).catch(() => undefined);
  }
}

/** While it runs: an estimate of the time that is left, from earlier runs. */
async function withPast(client: Client, run: DeploymentDescription): ReturnType<typeof readView> {
  const found = await readView(client, run);
  const operation = found.view.progress.plan?.operation;
  if (run.status !== 'RUNNING' || operation === undefined) return found;
  const { pastRuns } = await import('../../clients/temporal/histories/past-runs.ts');
  const runs = await pastRuns(client, run, operation).catch(() => undefined);
  return runs ? { ...found, view: applyLive(found.view, { kind: 'past', runs }) } : found;
}

/** What an operation looks like now; `note`: somebody has terminated it. */
export async function readView(client: Client, run: DeploymentDescription): Promise<{ view: LiveView; note?: string }> {
  const [{ readDeployment }, { DeploymentTerminatedError }] = await Promise.all([
    import('../../clients/temporal/histories/read.ts'),
    import('../../clients/temporal/histories/history.ts'),
  ]);
  let view = emptyLive();
  try {
    await readDeployment(client, run, (event) => (view = applyLive(view, event)));
    return { view };
  } catch (error) {
    if (error instanceof DeploymentTerminatedError) return { view, note: error.message };
    throw error;
  }
}
