/**
 * One drift run now: the workflow that the schedule starts, started by a person and watched to its end. Before a repair
 * it shows what is to be repaired.
 */
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { DriftInput, DriftResult } from '../../contract/drift.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { driftScheduleId, taskQueueOf, WORKFLOW_TYPES } from '../../contract/names.ts';
import { SEARCH_ATTRIBUTES } from '../../contract/search-attributes.ts';
import type { DriftRunOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import { requireBound } from '../deploy/binding.ts';
import { confirmationOf } from '../deploy/confirmed.ts';
import { withOverrideProof } from '../freeze/attest.ts';
import { requireSearchAttributes, requireWorker } from '../deploy/engine.ts';
import { type ExitCode, failed, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { workflowUrl } from '../shared/lines.ts';
import { isRepairable } from '../../plan/drift/repairable.ts';
import { findingsLines, resultLines } from '../render/drift.ts';
import { printLines } from '../shared/terminal.ts';
import { keptPlan, requireSamePlan } from '../plan/kept.ts';
import { withEngine } from './engine.ts';

const CODES: Record<DriftResult['outcome'], ExitCode> = {
  clean: EXIT_CODES.done,
  repaired: EXIT_CODES.done,
  drifted: EXIT_CODES.changes,
  skipped: EXIT_CODES.refused,
  failed: EXIT_CODES.failed,
};

export async function runDriftNow(context: CliContext, options: DriftRunOptions): Promise<ExitCode> {
  if (options.plan !== undefined && !options.repair)
    throw refused(
      '--plan carries out a repair: it goes with --repair.',
      commandLine('drift', 'run', '--env', options.env, '--repair', '--plan', options.plan),
    );
  const kept = options.plan === undefined ? undefined : await keptPlan(options.plan, 'repair', options.env);
  return withEngine(context, options.env, async ({ client, clusterUid, cluster, environment, connections, signal }) => {
    await requireBound(client, environment, cluster);
    await requireSearchAttributes(client, environment, connections, (text) => {
      printLines(context.terminal.stderr, [text]);
    });
    await requireWorker(client, environment);
    const mode = options.repair
      ? 'repair'
      : options.report || environment.drift.mode === 'off'
        ? 'report'
        : environment.drift.mode;
    const input = { environment: environment.name, clusterUid, requestedBy: context.config.requestedBy };
    const shown = mode === 'repair' ? await preview(context, options, client, input, signal) : undefined;
    if (typeof shown === 'number') return shown;
    if (kept) requireSamePlan(options.plan ?? '', kept, clusterUid, { digest: shown ?? '' });
    // Repairs that the environment's file asks for need no confirmation.
    const session = { environment, context, interrupted: signal };
    const confirmation =
      mode === 'repair' && environment.drift.mode !== 'repair'
        ? await confirmationOf(session, cluster, { operation: 'repair', confirm: options.confirm })
        : undefined;
    const override =
      options.overrideFreeze === undefined || mode !== 'repair'
        ? {}
        : await withOverrideProof(session, connections, 'repair', { ...input, freezeOverride: options.overrideFreeze });
    const run = await start(client, {
      ...input,
      ...override,
      mode,
      ...(shown === undefined ? {} : { expectedDigest: shown }),
      ...(confirmation ? { confirmation } : {}),
    });
    const url = workflowUrl(connections.engine, run);
    printLines(context.terminal.stderr, [
      `Started: workflow ${run.workflowId}, mode ${mode}`,
      ...(url === undefined ? [] : [`Watch it at ${url}`]),
    ]);
    context.outputLost = EXIT_CODES.detached;
    const result = await Promise.race([resultOf(client, run, environment.name), aborted(signal)]);
    if (result === undefined) {
      printLines(context.terminal.stderr, [
        `Detached (${(signal.reason as Error).message}): the drift run goes on without this command.`,
        `  How it ended:   ${commandLine('drift', 'runs', '--env', environment.name)}`,
      ]);
      return EXIT_CODES.detached;
    }
    printResult(context, options, run, result);
    return CODES[result.outcome];
  });
}

/**
 * What is shown is what is repaired: the worker looks first, and its repair is bound to what it saw.
 * @returns digest of what was shown; or the exit code, where there is nothing to repair
 */
async function preview(
  context: CliContext,
  options: DriftRunOptions,
  client: Client,
  input: Omit<DriftInput, 'mode'>,
  signal: AbortSignal,
): Promise<string | ExitCode> {
  const { terminal } = context;
  const run = await start(client, { ...input, mode: 'report', preview: true });
  const found = await Promise.race([resultOf(client, run, input.environment), aborted(signal)]);
  // Nothing was begun that could go on without us.
  if (found === undefined) throw signal.reason;
  const repairs = found.report?.findings.filter((finding) => isRepairable(finding, found.flapping)) ?? [];
  if (found.outcome !== 'drifted' || found.repairDigest === undefined || repairs.length === 0) {
    printResult(context, options, run, found);
    return CODES[found.outcome];
  }
  const view = { flapping: found.flapping, style: terminal.style, columns: terminal.stdout.columns ?? 120 };
  printLines(options.json ? terminal.stderr : terminal.stdout, [
    `To be repaired on ${input.environment}:`,
    '',
    ...findingsLines(repairs, view),
  ]);
  return found.repairDigest;
}

function printResult(
  { terminal }: CliContext,
  options: DriftRunOptions,
  run: { workflowId: string; runId: string },
  result: DriftResult,
): void {
  if (options.json) printLines(terminal.stdout, [JSON.stringify({ ...run, ...result })]);
  else
    printLines(
      terminal.stdout,
      resultLines(result, {
        flapping: result.flapping,
        style: terminal.style,
        columns: terminal.stdout.columns ?? 120,
      }),
    );
}

async function start(client: Client, input: DriftInput): Promise<{ workflowId: string; runId: string }> {
  const { environment, clusterUid, requestedBy = '' } = input;
  const workflowId = `${driftScheduleId(environment, clusterUid)}-by-hand`;
  try {
    const handle = await client.workflow.start(WORKFLOW_TYPES.drift, {
      taskQueue: taskQueueOf(environment),
      workflowId,
      args: [input],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      memo: { environment, mode: input.mode },
      typedSearchAttributes: [
        { key: SEARCH_ATTRIBUTES.environment, value: environment },
        { key: SEARCH_ATTRIBUTES.operation, value: 'drift' },
      ],
      staticSummary: `${input.mode === 'repair' ? 'Find and repair' : 'Find'} drift on ${environment}`,
      staticDetails: `Requested by ${requestedBy}`,
    });
    return { workflowId, runId: handle.firstExecutionRunId };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw refused(
      `A drift run that somebody started by hand is still going on (workflow ${workflowId}).`,
      commandLine('drift', 'runs', '--env', environment),
    );
  }
}

/** Also of a run that has failed. @throws CliError (failed) when it was cancelled or terminated */
async function resultOf(
  client: Client,
  { workflowId, runId }: { workflowId: string; runId: string },
  environment: string,
): Promise<DriftResult> {
  try {
    return (await client.workflow.getHandle(workflowId, runId).result()) as DriftResult;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const result =
      error.cause instanceof ApplicationFailure ? (error.cause.details?.[0] as DriftResult | undefined) : undefined;
    if (result) return result;
    throw failed(
      `The drift run did not end in order: ${error.cause?.message ?? error.message}`,
      commandLine('drift', 'runs', '--env', environment),
    );
  }
}

/** Resolves with nothing when the signal comes. */
function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
