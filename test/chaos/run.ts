/** One run: from the platform as the catalog has it through the operations of a scenario, judged after each of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from '@temporalio/worker';
import { workflowBuild } from '../../src/clients/temporal/bundle.ts';
import { running } from './commands.ts';
import { type Expected, judge, judgeRest } from './invariants.ts';
import { imagesOf, operate, type Operated, type Tags } from './operate.ts';
import { type Fault, type Operation, operationText, type Scenario, SERVICES } from './scenario.ts';
import { NAME, type Stage } from './stage.ts';
import { type World, worldOf } from './world.ts';

export interface Ran {
  seed: number;
  seconds: number;
  /** Faults that hit something. */
  hits: Fault[];
  /** What should not be so, each with the operation after which it was seen; the run is good when there is none. */
  violations: string[];
  /** What was said where something was wrong. */
  said: string[];
}

interface Known {
  /** Tags that the next deployment names. */
  wanted: Tags;
  /** Versions of the platform that this run has made or begun with, newest last. */
  versions: { number: number; tags: Tags }[];
}

/** @throws Error when the stage is broken, so that no further scenario can run on it */
export async function runScenario(stage: Stage, { seed, operations, faults }: Scenario): Promise<Ran> {
  const began = performance.now();
  const since = new Date();
  const ran: Ran = { seed, seconds: 0, hits: [], violations: [], said: [] };
  await undisturbed(stage, {});
  const baseline = await worldOf(stage.kubernetes);
  const base = Object.fromEntries(SERVICES.map((service) => [service, baseline.tags[service] ?? '']));
  let known: Known = { wanted: {}, versions: [{ number: (await numbersOf(stage)).at(-1) ?? 1, tags: {} }] };
  let before = baseline;
  for (const [index, operation] of operations.entries()) {
    const of = (what: string): string => `after operation ${index + 1} (${operationText(operation)}): ${what}`;
    const own = faults.filter((fault) => fault.operation === index);
    const target = known.versions.at(-2) ?? known.versions.at(-1);
    const operated = await operate(stage, operation, own, known.wanted, target?.number ?? 1);
    ran.hits.push(...operated.hits);
    const { expected, wanted, made, wrong } = consequences(
      operation,
      operated,
      known.wanted,
      target?.tags ?? {},
      before,
      base,
    );
    // What was recorded since, oldest first; a deployment that changed nothing is no version.
    const numbers = (await numbersOf(stage)).filter((number) => number > (known.versions.at(-1)?.number ?? 0));
    const versions = numbers.map((number, at) => ({ number, tags: made.at(at - numbers.length) ?? wanted }));
    const after = await worldOf(stage.kubernetes);
    const violations = [...wrong, ...judge(before, after, expected), ...(await judgeRest(stage))];
    ran.violations.push(...violations.map(of));
    if (violations.length > 0) ran.said.push(...operated.said);
    known = { wanted, versions: [...known.versions, ...versions] };
    before = after;
    if (violations.length > 0) break;
  }
  if (ran.violations.length === 0)
    ran.violations.push(
      ...(await judgeEnd(stage, known, { before, base, since, cancelled: operations.at(-1)?.kind === 'cancel' })),
    );
  ran.seconds = (performance.now() - began) / 1000;
  return ran;
}

/** Without a fault. @throws Error when it does not succeed */
async function undisturbed(stage: Stage, tags: Tags): Promise<string> {
  const run = await running(stage.config, ['deploy', '--json', ...imagesOf(tags)]);
  const outcome = run.lines.findLast(({ type }) => type === 'result')?.['outcome'];
  if (outcome === 'succeeded' || outcome === 'unchanged') return outcome;
  throw new Error(
    `a deployment without any fault ended with ${String(run.code)}:\n${run.stdout.slice(-3000)}\n${run.stderr.slice(-2000)}`,
  );
}

interface Consequences {
  expected: Expected;
  /** Tags that the next deployment names. */
  wanted: Tags;
  /** Tags in each platform version that it has recorded so far, the newest last. */
  made: Tags[];
  /** Outcomes that were not expected. */
  wrong: string[];
}

const GOOD = ['succeeded', 'unchanged'];

function consequences(
  { kind, tags, drift }: Operation,
  { outcomes }: Operated,
  wanted: Tags,
  backTo: Tags,
  before: World,
  base: Tags,
): Consequences {
  const whole = (some: Tags): Tags => ({ ...base, ...some });
  const applied = (times: number, ...targets: Tags[]): Record<string, number> =>
    Object.fromEntries(
      SERVICES.filter((service) => targets.some((target) => whole(target)[service] !== before.tags[service])).map(
        (service) => [service, times],
      ),
    );
  const bad = outcomes.filter((outcome) => !GOOD.includes(outcome));
  const first = { ...wanted, ...tags[0] };
  const newest = { ...wanted, ...tags[1] };
  const to = (target: Tags, times = 1, ...between: Tags[]): Consequences => ({
    expected: { tags: whole(target), applied: applied(times, target, ...between) },
    wanted: target,
    made: [target],
    wrong: bad.map((outcome) => `it ended ${outcome}`),
  });
  switch (kind) {
    case 'deploy':
    case 'pause':
      return to(first);
    case 'rollback':
      return to(backTo);
    case 'repair':
      return {
        expected: { tags: whole(wanted), applied: { ...applied(1, wanted), [drift?.service ?? '']: 2 } },
        wanted,
        made: [],
        wrong: bad.map((outcome) => `it ended ${outcome}`),
      };
    case 'queue':
    case 'supersede': {
      const ended = outcomes.at(-1) ?? '';
      const others = kind === 'queue' ? [] : ['cancelled'];
      const target = to(newest, 2, first);
      return {
        ...target,
        made: [first, newest],
        wrong: [
          ...(GOOD.includes(ended) ? [] : [`the second ended ${ended}`]),
          ...(GOOD.includes(outcomes[0] ?? '') || others.includes(outcomes[0] ?? '')
            ? []
            : [`the first ended ${outcomes[0] ?? ''}`]),
        ],
      };
    }
    case 'cancel': {
      if (outcomes[0] === 'succeeded') return to(first);
      const either = Object.fromEntries(
        SERVICES.map((service) => {
          const [was, is] = [before.tags[service], whole(first)[service]];
          return [service, was === is ? is : undefined];
        }),
      );
      return {
        expected: { tags: either, applied: applied(1, first), cancelled: Object.keys(tags[0] ?? {}) },
        wanted: first,
        made: [],
        wrong: outcomes[0] === 'cancelled' ? [] : [`it ended ${outcomes[0] ?? ''}`],
      };
    }
    case 'destroy':
      return {
        expected: { tags: whole(wanted), applied: {}, rebuilt: true },
        wanted,
        made: [wanted],
        wrong: bad.map((outcome) => `it ended ${outcome}`),
      };
  }
}

/** Of the versions of the platform, oldest first. */
async function numbersOf({ config }: Stage): Promise<number[]> {
  const { stdout } = await running(config, ['history', '--json']);
  const all = JSON.parse(stdout) as { version: number }[] | { versions: { version: number }[] };
  return (Array.isArray(all) ? all : all.versions).map(({ version }) => version).sort((a, b) => a - b);
}

/**
 * A deployment without faults succeeds; after it nothing is left to do, there is no drift, and all histories replay.
 */
async function judgeEnd(
  stage: Stage,
  { wanted }: Known,
  { before, base, since, cancelled }: { before: World; base: Tags; since: Date; cancelled: boolean },
): Promise<string[]> {
  const found: string[] = [];
  const of = (what: string): string => `at the end: ${what}`;
  // What was cancelled half-way is brought to its end first.
  if (cancelled) await undisturbed(stage, wanted);
  if ((await undisturbed(stage, wanted)) !== 'unchanged')
    found.push(of('a deployment of the same found something to do'));
  const drift = await driftOf(stage);
  if (drift !== undefined) found.push(of(`there is drift: ${drift}`));
  const after = await worldOf(stage.kubernetes);
  const expected = { tags: { ...base, ...wanted }, applied: Object.fromEntries(SERVICES.map((name) => [name, 1])) };
  found.push(...judge(before, after, expected).map(of), ...(await judgeRest(stage)).map(of));
  found.push(...(await replayed(stage, since)).map(of));
  return found;
}

/** A component that was hit may answer slowly for a moment: checks that could not look are repeated. */
async function driftOf(stage: Stage): Promise<string | undefined> {
  for (let look = 1; ; look += 1) {
    const { code, stdout, stderr } = await running(stage.config, ['drift', '--json']);
    if (code === 0) return undefined;
    const kinds = [...stdout.matchAll(/"kind":"([^"]+)"/g)].map(([, kind]) => kind);
    const seen = kinds.length === 0 || kinds.some((kind) => kind !== 'not-observable');
    if (seen || look === LOOKS) return `${stdout.slice(0, 1500)}${stderr.slice(0, 500)}`;
    await sleep(2000);
  }
}

const LOOKS = 8;

/** Histories of all that this run has started. */
async function replayed(stage: Stage, since: Date): Promise<string[]> {
  const { path: codePath } = await workflowBuild(stage.config.repoRoot, stage.config.stateRoot);
  const query = `StartTime >= '${since.toISOString()}'`;
  const found: string[] = [];
  for await (const { workflowId, runId } of stage.client.workflow.list({ query })) {
    if (!workflowId.includes(`/${NAME}/`)) continue;
    const history = await stage.client.workflow.getHandle(workflowId, runId).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle: { codePath } }, history, workflowId).catch((error: unknown) => {
      found.push(`${workflowId} does not replay: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
  return found;
}
