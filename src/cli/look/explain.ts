/**
 * `ananta explain`: what the cluster knows of a service, and what the newest operation does with it. Touches nothing.
 */
import type { Client } from '@temporalio/client';
import type { Service } from '../../catalog/schema.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { emptySteering, extensionOf } from '../../plan/steering/state.ts';
import { phaseWorkflowId } from '../../contract/names.ts';
import { FINAL_STATES } from '../../contract/operations/states.ts';
import { resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import type { Environment } from '../../environment/schema.ts';
import { adviceFor } from '../../plan/explain/advice.ts';
import type { Explanation, OperationExplanation } from '../../plan/explain/explanation.ts';
import { type DeploymentProgress, waitsFor } from '../../plan/progress.ts';
import { releasesOf } from '../../plan/releases.ts';
import { heldLines, interventionText } from '../../plan/steering/words.ts';
import { explanationLines } from '../render/explain.ts';
import { stateOf } from '../render/live.ts';
import { checkService } from '../shared/arguments.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { printLines } from '../shared/terminal.ts';
import { readView } from './status.ts';

export interface ExplainOptions {
  env: string;
  json?: true;
}

export async function runExplain(context: CliContext, service: string, options: ExplainOptions): Promise<ExitCode> {
  const environment = await loadEnvironment(options.env, context.config);
  const catalog = await loadPlatform(environment, context.config);
  checkService(
    service,
    catalog.services.map(({ name }) => name),
  );
  const row = catalog.services.find(({ name }) => name === service) as Service;
  // Loaded late: the clients take a second, and a wrong name should be refused at once.
  const { withLiveClients } = await import('../shared/clients.ts');
  const { explainService } = await import('../../effects/explain.ts');
  const [{ cleaned, ...found }, operation] = await Promise.all([
    withLiveClients(context, environment, (clients, signal) => explainService(clients, row, { signal })),
    askEngine(context, environment, row),
  ]);
  const explanation: Explanation = { ...found, ...operation };
  const advice = adviceFor(explanation);
  const { terminal } = context;
  if (options.json)
    printLines(terminal.stdout, [JSON.stringify({ environment: environment.name, ...explanation, advice })]);
  else
    printLines(
      terminal.stdout,
      explanationLines(explanation, advice, {
        environment: environment.name,
        columns: terminal.stdout.columns ?? 100,
        style: terminal.style,
        now: Date.now(),
        cleaned,
      }),
    );
  return explanation.healthy ? EXIT_CODES.done : EXIT_CODES.failed;
}

/** When the engine does not answer, the rest of the explanation is shown all the same. */
async function askEngine(
  context: CliContext,
  environment: Environment,
  row: Service,
): Promise<Pick<Explanation, 'operation' | 'engineProblem'>> {
  const { closeTemporal, connectTemporal } = await import('../../clients/temporal/index.ts');
  let client: Client | undefined;
  try {
    const { engine } = await resolveConnections(environment, context.config);
    client = await connectTemporal(engine, 3);
    return await readOperationOf(client, environment.name, row);
  } catch (error) {
    return { engineProblem: error instanceof Error ? error.message : String(error) };
  } finally {
    if (client) await closeTemporal(client).catch(() => undefined);
  }
}

/** The newest operation on an environment, as far as it concerns the service. */
export async function readOperationOf(
  client: Client,
  environment: string,
  row: Service,
): Promise<Pick<Explanation, 'operation' | 'engineProblem'>> {
  const { latestDeployment } = await import('../../clients/temporal/index.ts');
  try {
    const operation = await operationOf(client, await latestDeployment(client, environment), row);
    return operation ? { operation } : {};
  } catch (error) {
    return { engineProblem: error instanceof Error ? error.message : String(error) };
  }
}

/** What keeps the operation, and what people decided about the service. */
function heldFor(
  { waits, steering }: DeploymentProgress,
  service: string,
): Pick<OperationExplanation, 'held' | 'decided'> {
  const { [service]: asked } = steering?.questions ?? {};
  const held = [
    ...(waits ? [waits.reason] : []),
    ...(steering ? heldLines({ ...steering, questions: asked ? { [service]: asked } : {} }) : []),
  ];
  const own = (steering?.interventions ?? []).filter((act) => 'service' in act && act.service === service);
  return {
    ...(held.length === 0 ? {} : { held }),
    ...(own.length === 0 ? {} : { decided: own.map((act) => `${interventionText(act)} (${act.when})`) }),
  };
}

async function operationOf(
  client: Client,
  run: Awaited<ReturnType<typeof import('../../clients/temporal/index.ts').latestDeployment>>,
  row: Service,
): Promise<OperationExplanation | undefined> {
  if (!run) return undefined;
  const service = row.name;
  const { pendingOf } = await import('../../clients/temporal/histories/pending.ts');
  const { view } = await readView(client, run);
  const { plan, services } = view.progress;
  const planned = plan?.services.find(({ name }) => name === service);
  const progress = services[service];
  const state = stateOf(view, service);
  const running = run.status === 'RUNNING';
  const releases = releasesOf(row).map(({ name }) => name);
  const { retries, causes } =
    running && planned
      ? await pendingOf(client, phaseWorkflowId(run.workflowId, run.runId, planned.phase))
      : { retries: [], causes: [] };
  const failure = progress?.outcome?.failure;
  return {
    operation: view.progress.finished?.operation ?? plan?.operation ?? 'deploy',
    running,
    startedAt: run.startTime.toISOString(),
    state: planned ? state : plan ? 'not part of it' : 'being planned',
    ...(progress ? { since: new Date(progress.at).toISOString() } : {}),
    waitsFor: running && state === 'waiting' ? waitsFor(view.progress, service) : [],
    ...(running && planned && state === 'starting'
      ? {
          healthDeadlineSeconds:
            planned.healthTimeoutSeconds + extensionOf(view.progress.steering ?? emptySteering(), service),
        }
      : {}),
    ...(running ? heldFor(view.progress, service) : {}),
    ...(progress?.detail === undefined || FINAL_STATES.includes(state) ? {} : { detail: progress.detail }),
    ...(failure ? { failure: failure.message } : {}),
    ...(failure?.evidence === undefined ? {} : { evidence: failure.evidence }),
    retries: retries
      .filter(({ message }) => releases.some((name) => message.split(/[^\w-]+/).includes(name)))
      .map(({ activity, attempt, message, nextAt }) => ({ activity, attempt, message, ...(nextAt ? { nextAt } : {}) })),
    causes: causes.filter(({ release }) => releases.includes(release)).map(({ cause }) => cause),
  };
}
