/**
 * From a connected engine and a known run to the exit code: what all commands share that start or watch an operation.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { stateDir } from '../../config.ts';
import { closeTemporal, type DeploymentHandle, type StartedRun } from '../../clients/temporal/index.ts';
import type { OperationResult } from '../../contract/operations/deploy.ts';
import { EXIT_CODES, FAILURES } from '../../contract/failures.ts';
import type { Operation } from '../../contract/operations/plan.ts';
import { readRuntime, resolveConnections } from '../../environment/connections.ts';
import { type ExitCode, failed } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { describeHolder, describeStall } from '../shared/lock-words.ts';
import { exportLines, lookAroundLines, workflowUrl } from '../shared/lines.ts';
import { jsonResult } from '../render/json.ts';
import { identifyRequester } from '../approvals/identify.ts';
import { describeContinuation, OPERATION_WORDS } from '../render/operation-words.ts';
import { writeJson } from '../render/renderers.ts';
import { summaryLines } from '../render/summary.ts';
import { printLines } from '../shared/terminal.ts';
import { EngineStoppedError, follow } from './follow.ts';
import { supervised } from './local-stack.ts';
import { watchPodLogs } from './beside/pod-logs.ts';
import type { Prerequisites } from './prerequisites.ts';
import type { Session } from './session.ts';

export const OUTCOME_CODES: Record<OperationResult['outcome'], ExitCode> = {
  succeeded: EXIT_CODES.done,
  unchanged: EXIT_CODES.done,
  failed: EXIT_CODES.failed,
  cancelled: EXIT_CODES.cancelled,
};

/** What the worker refused before anything was touched is refused, as if the command had seen it itself. */
const REFUSALS: readonly string[] = [
  FAILURES.invalidInput,
  FAILURES.notOurs,
  FAILURES.damagedRecord,
  FAILURES.planOutdated,
  FAILURES.clusterOwned,
  FAILURES.notConfirmed,
  FAILURES.versionUnknown,
  FAILURES.pointOfNoReturn,
  FAILURES.dependencyMissing,
];

/** Failures of an operation that waits at a policy, freeze or gate: it has a plan, and has changed nothing yet. */
const REFUSED_BEFORE_ITS_BEGIN: readonly string[] = [
  FAILURES.frozen,
  FAILURES.rejected,
  FAILURES.policyViolated,
  FAILURES.notApproved,
  FAILURES.planOutdated,
];

export function exitCodeOf({ outcome, planDigest, failure }: OperationResult): ExitCode {
  const refused =
    outcome === 'failed' &&
    failure !== undefined &&
    (REFUSED_BEFORE_ITS_BEGIN.includes(failure.type) || (planDigest === '' && REFUSALS.includes(failure.type)));
  return refused ? EXIT_CODES.refused : OUTCOME_CODES[outcome];
}

export interface Started {
  operation: Operation;
  /** It is left running at once. */
  detach?: boolean;
  /** Options that have no effect on an operation that runs already. */
  ignored?: readonly string[];
}

/** Prints what was started, or who has the lock, then watches it to its end unless detaching was asked for. */
export async function watchStarted(
  session: Session,
  { client, connections }: Prerequisites,
  run: StartedRun,
  { operation, detach = false, ignored = [] }: Started,
): Promise<ExitCode> {
  const { environment, renderer } = session;
  const url = workflowUrl(connections.engine, run);
  renderer.started({
    workflowId: run.workflowId,
    runId: run.runId,
    attached: run.attached,
    ...(url === undefined ? {} : { url }),
  });
  if (run.attached) {
    const what = run.holder ? describeHolder(run.holder, Date.now()) : OPERATION_WORDS.deploy.one;
    renderer.notice(
      `The lock of ${environment.name} is held by ${what}: this command watches it, and starts none of its own.${
        ignored.length > 0
          ? ` ${ignored.join(' and ')} ${ignored.length === 1 ? 'does' : 'do'} not apply to it: run the command again afterwards, or with --if-running queue.`
          : ''
      }`,
    );
    for (const line of run.holder ? describeStall(run.holder, environment) : []) renderer.notice(line);
  } else await identifyRequester(session, client, connections, run, operation);
  const goesOn = describeContinuation(run.holder?.operation ?? operation, environment.name);
  if (!detach) return watchToEnd(session, client, run, goesOn);
  renderer.close();
  printDetached(session, run, '--detach', goesOn);
  await closeTemporal(client).catch(() => undefined);
  return EXIT_CODES.detached;
}

/**
 * Follows the run to its end and prints how it ended, or says what goes on without us.
 * @param goesOn what happens when nobody watches any more
 */
export async function watchToEnd(
  session: Session,
  client: Client,
  run: DeploymentHandle,
  goesOn = describeContinuation('deploy', session.environment.name),
): Promise<ExitCode> {
  const { context, environment, renderer, interrupted } = session;
  // Whoever read our output is gone: the deployment is not.
  context.outputLost = EXIT_CODES.detached;
  const engine = async (): Promise<Awaited<ReturnType<typeof resolveConnections>>['engine']> =>
    (await resolveConnections(environment, context.config)).engine;
  try {
    const result = await supervised(session, () =>
      follow({
        client,
        run,
        renderer,
        signal: interrupted,
        engine,
        beside: watchPodLogs(session),
        describeStall: (holder) => describeStall(holder, environment),
      }),
    );
    renderer.close();
    await printResult(session, result);
    return exitCodeOf(result);
  } catch (error) {
    if (error instanceof EngineStoppedError) {
      renderer.close();
      return await printStopped(session, run);
    }
    if (!interrupted.aborted) throw error;
    renderer.close();
    printDetached(session, run, (interrupted.reason as Error).message, goesOn);
    return EXIT_CODES.detached;
  } finally {
    context.outputLost = EXIT_CODES.done;
    await closeTemporal(client).catch(() => undefined);
  }
}

async function printResult({ context, environment, json }: Session, result: OperationResult): Promise<void> {
  const { terminal, config } = context;
  if (json) {
    writeJson(terminal.stdout, jsonResult(result));
    return;
  }
  const connections = await resolveConnections(environment, config);
  const runtime = await readRuntime(config, environment.name);
  const url = workflowUrl(connections.engine, result);
  printLines(
    terminal.stdout,
    summaryLines(result, {
      columns: Math.min(terminal.stdout.columns ?? 100, 100),
      style: terminal.style,
      ...('embedded' in environment.cluster ? { simulatedNodes: environment.cluster.embedded.nodes } : {}),
      ...(url === undefined ? {} : { url }),
      exports: exportLines(connections, runtime),
      lookAround: lookAroundLines(connections, runtime, environment.vault.tls),
    }),
  );
}

/** After `down`. @throws CliError (failed) when it took the data as well */
async function printStopped(session: Session, run: DeploymentHandle): Promise<ExitCode> {
  const { context, environment } = session;
  const there = await stat(join(stateDir(context.config, environment.name), 'engine')).then(
    () => true,
    () => false,
  );
  const up = commandLine('up', '--env', environment.name);
  if (!there) {
    throw failed(
      `"${environment.name}" was deleted while this command watched (down --purge), and the operation with it: ${run.workflowId}.`,
      `${commandLine('deploy', '--env', environment.name)}   (begins anew)`,
    );
  }
  const goesOn = `what ran on ${environment.name} stands still until "${up}", and then goes on`;
  printDetached(session, run, 'the environment was stopped (down)', goesOn);
  return EXIT_CODES.detached;
}

export function printDetached(
  { context, environment, json }: Pick<Session, 'context' | 'environment' | 'json'>,
  run: DeploymentHandle,
  why: string,
  goesOn = describeContinuation('deploy', environment.name),
): void {
  const { terminal } = context;
  if (json)
    writeJson(terminal.stdout, {
      type: 'detached',
      environment: environment.name,
      workflowId: run.workflowId,
      runId: run.runId,
      reason: why,
    });
  const lines = [
    `Detached (${why}): ${goesOn} without this command.`,
    `  Watch it again:   ${commandLine('attach', '--env', environment.name)}`,
    `  How it stands:    ${commandLine('status', '--env', environment.name)}`,
  ];
  printLines(json ? terminal.stderr : terminal.stdout, lines);
}
