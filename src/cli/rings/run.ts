/** `ananta rings`: every environment of the file is made ready, then one workflow deploys them ring by ring. */
import type { Client } from '@temporalio/client';
import { closeTemporal } from '../../clients/temporal/index.ts';
import { cancelRings, readRings, startRings, withHolds } from '../../clients/temporal/rings.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import type { RingsView } from '../../contract/operations/rings.ts';
import { loadRings, type RingsFile } from '../../environment/rings.ts';
import { watchInterrupts } from '../deploy/interrupt.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { pause } from '../shared/pause.ts';
import { printLines } from '../shared/terminal.ts';
import { chosenRun, neverDeployed, onEngine } from './engine.ts';
import type { RingsLookOptions, RingsOptions } from './options.ts';
import { readRingsPlan } from './plan-file.ts';
import { type KeptPlan, makeReady, type ReadyTarget, requireTogether } from './ready.ts';
import { changesSince, ringsLines } from './render.ts';

const LOOK_MILLISECONDS = 2000;

export async function runRingsDeploy(context: CliContext, name: string, options: RingsOptions): Promise<ExitCode> {
  const file = await loadRings(name, context.config);
  await requireTogether(context, name, file);
  const kept = await keptPlans(name, file, options);
  const image = kept?.imageTags ?? options.image ?? {};
  const interrupts = watchInterrupts();
  let client: Client | undefined;
  try {
    const targets = new Map<string, ReadyTarget>();
    for (const environment of file.rings.flatMap(({ environments }) => environments)) {
      const plan = kept?.plans.get(environment);
      const ready = await makeReady(
        context,
        environment,
        { ...options, image, ...(plan ? { kept: plan } : {}) },
        interrupts.signal,
      );
      if (client === undefined) client = ready.client;
      else await closeTemporal(ready.client);
      targets.set(environment, ready);
    }
    if (client === undefined) throw refused(`rings/${name}.yaml names no environment.`);
    const engine = client;
    const run = await startRings(engine, {
      name,
      requestedBy: context.config.requestedBy,
      imageTags: image,
      rings: file.rings.map((ring) => ({
        name: ring.name,
        targets: ring.environments.flatMap((environment) => targets.get(environment)?.target ?? []),
        soak: ring.soak ?? file.soak,
        onFailure: ring.onFailure ?? file.onFailure,
      })),
    });
    await Promise.all([...targets.values()].map(({ identify }) => identify(engine, run)));
    if (options.detach) {
      printLines(context.terminal.stdout, [
        `Rings ${name} are being deployed; ${commandLine('rings', 'status', name)} says how far.`,
      ]);
      return EXIT_CODES.detached;
    }
    return await watch(context, client, name, options, interrupts.signal);
  } finally {
    if (client) await closeTemporal(client).catch(() => undefined);
    interrupts.dispose();
  }
}

/** @throws CliError (refused) where the file does not fit, or options say something beside it */
async function keptPlans(
  name: string,
  file: RingsFile,
  { plan: path, image }: RingsOptions,
): Promise<{ imageTags: Record<string, string>; plans: ReadonlyMap<string, KeptPlan> } | undefined> {
  if (path === undefined) return undefined;
  const again = commandLine('rings', 'plan', name, '--out', path);
  if (image !== undefined) throw refused('--image cannot be given together with --plan: the plan says it.', again);
  const { imageTags, plans } = await readRingsPlan(path, name, file);
  // Plans of rings are always of the whole platform, without a selection.
  const kept = plans.map(
    ({ selection: _, ...plan }) => [plan.environment, { plan: { ...plan, path }, again }] as const,
  );
  return { imageTags, plans: new Map(kept) };
}

async function watch(
  { terminal }: CliContext,
  client: Client,
  name: string,
  { json }: RingsOptions,
  interrupted: AbortSignal,
): Promise<ExitCode> {
  let before: RingsView | undefined;
  for (;;) {
    const found = await readRings(client, name);
    if (found !== undefined) {
      const now = await withHolds(client, found);
      const type = now.outcome === 'running' ? 'rings' : 'result';
      if (!json) printLines(terminal.stdout, changesSince(before, now));
      else if (JSON.stringify(now) !== JSON.stringify(before))
        printLines(terminal.stdout, [JSON.stringify({ type, ...now })]);
      before = now;
      if (now.outcome !== 'running') break;
    }
    if (!(await pause(LOOK_MILLISECONDS, interrupted))) {
      printLines(terminal.stderr, [`Rings ${name} go on; ${commandLine('rings', 'status', name)} says how far.`]);
      return EXIT_CODES.detached;
    }
  }
  if (!json) printLines(terminal.stdout, ['', ...ringsLines(before, terminal.style)]);
  return exitCodeOf(before);
}

export async function runRingsStatus(
  context: CliContext,
  name: string,
  { json, run }: RingsLookOptions,
): Promise<ExitCode> {
  const view = await onEngine(context, name, async (client) => {
    const runId = run === undefined ? undefined : (await chosenRun(client, name, run)).runId;
    const found = await readRings(client, name, runId);
    return found && withHolds(client, found);
  });
  if (view === undefined) throw neverDeployed(name);
  printLines(context.terminal.stdout, json ? [JSON.stringify(view)] : ringsLines(view, context.terminal.style));
  return view.outcome === 'running' ? EXIT_CODES.done : exitCodeOf(view);
}

export async function runRingsCancel(context: CliContext, name: string): Promise<ExitCode> {
  const running = await onEngine(context, name, (client) => cancelRings(client, name));
  printLines(context.terminal.stdout, [
    running
      ? `Rings ${name} are cancelled: nothing further starts, and the deployments that run are cancelled. ${commandLine('rings', 'status', name)} says how each ended.`
      : `Rings ${name} do not run.`,
  ]);
  return EXIT_CODES.done;
}

export async function runRingsCheck(context: CliContext, name: string): Promise<ExitCode> {
  const file = await loadRings(name, context.config);
  await requireTogether(context, name, file);
  printLines(context.terminal.stdout, [
    `rings/${name}.yaml is sound: ${file.rings.map((ring) => `${ring.name} (${ring.environments.join(', ')})`).join(', then ')}.`,
  ]);
  return EXIT_CODES.done;
}

function exitCodeOf({ outcome }: RingsView): ExitCode {
  return outcome === 'succeeded' ? EXIT_CODES.done : outcome === 'cancelled' ? EXIT_CODES.cancelled : EXIT_CODES.failed;
}
