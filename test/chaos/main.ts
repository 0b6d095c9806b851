/**
 * Seeded chaos: operations in random order on one sandbox, hit by faults at points of their progress.
 *
 *   npm run chaos -- --runs 20 --seed 1           twenty runs, of the seeds 1 to 20
 *   npm run chaos -- --seed 17 --only 2,4         that run again, with its second and fourth fault alone
 *   npm run chaos -- --seed 17 --show             what it would do
 *
 * Exit code 0 only when every run was well. Linux only, like the signals that it sends.
 */
import { appendFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { quietRuntime } from '../support/engine.ts';
import { faultText, operationText, type Scenario, scenarioOf } from './scenario.ts';
import { type Ran, runScenario } from './run.ts';
import { shrink } from './shrink.ts';
import { openStage, type Stage } from './stage.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    show: { type: 'boolean', default: false },
    /** At most so many runs to find the fewest faults; 0: none. */
    shrink: { type: 'string', default: '8' },
    /** A line of JSON for each run. */
    log: { type: 'string' },
    /** Path of libfaketimeMT.so.1 (Debian: libfaketime): the second worker's clock is wrong now and then. */
    faketime: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
const first = Number(values.seed);
const runs = Number(values.runs);
const clocks = values.faketime === undefined ? '' : ` --faketime ${values.faketime}`;
const only = values.only
  ?.split(',')
  .filter((text) => text !== '')
  .map(Number);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function scenario(seed: number): Scenario {
  const whole = scenarioOf(seed, { clocks: values.faketime !== undefined });
  return only === undefined ? whole : { ...whole, faults: whole.faults.filter((_, index) => only.includes(index + 1)) };
}

/** The number of each fault in `--only`. */
function scenarioNumbers({ faults }: Scenario): number[] {
  return only === undefined ? faults.map((_, index) => index + 1) : [...only].sort((a, b) => a - b);
}

function show({ seed, operations, faults }: Scenario): void {
  say(`seed ${seed}`);
  for (const [index, operation] of operations.entries()) say(`  ${index + 1}. ${operationText(operation)}`);
  for (const [index, fault] of faults.entries()) say(`  fault ${index + 1}: ${faultText(fault)}`);
}

let stage: Stage | undefined;
/** The stage that is being opened: it is closed at the end even if it is not ready yet. */
let opening: Promise<Stage> | undefined;

/** Runs a scenario; after a run that went wrong the next one gets a new stage. */
async function once(of: Scenario): Promise<Ran> {
  opening ??= openStage(values.faketime);
  stage = await opening;
  const ran = await runScenario(stage, of).catch((error: unknown): Ran => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { seed: of.seed, seconds: 0, hits: [], violations: [text], said: [] };
  });
  if (ran.violations.length > 0 && !values.keep) {
    await stage.close();
    [stage, opening] = [undefined, undefined];
  }
  return ran;
}

async function main(): Promise<boolean> {
  if (values.show) {
    for (let seed = first; seed < first + runs; seed += 1) show(scenario(seed));
    return true;
  }
  await quietRuntime();
  let [bad, spent, hits] = [0, 0, 0];
  for (let seed = first; seed < first + runs; seed += 1) {
    const of = scenario(seed);
    const ran = await once(of);
    spent += ran.seconds;
    hits += ran.hits.length;
    const well = ran.violations.length === 0;
    say(
      `seed ${seed}: ${of.operations.map(({ kind }) => kind).join(', ')}; ${ran.hits.length} of ${of.faults.length} faults hit; ${ran.seconds.toFixed(0)} s; ${well ? 'well' : 'DIVERGED'}`,
    );
    if (values.log !== undefined) await appendFile(values.log, `${JSON.stringify({ ...ran, scenario: of })}\n`);
    if (well) continue;
    bad += 1;
    show(of);
    for (const violation of ran.violations) say(`  ✖ ${violation}`);
    for (const text of ran.said) say(text.replaceAll(/^/gm, '    | '));
    if (Number(values.shrink) > 0) {
      const kept = await shrink(
        of,
        async (smaller) => (await once(smaller)).violations.length > 0,
        Number(values.shrink),
      );
      const numbers = scenarioNumbers(of);
      say(`  fewest faults: ${kept.map((index) => faultText(of.faults[index]!)).join('; ') || 'none'}`);
      say(`  again: npm run chaos -- --seed ${seed}${clocks} --only ${kept.map((index) => numbers[index]).join(',')}`);
    } else say(`  again: npm run chaos -- --seed ${seed}${clocks}`);
  }
  say(
    `${runs} runs, ${bad} divergences, ${hits} faults hit; ${(spent / Math.max(1, runs)).toFixed(1)} s a run, 500 would take ${(((spent / Math.max(1, runs)) * 500) / 3600).toFixed(1)} h`,
  );
  return bad === 0;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    const closed = opening?.then((opened) => opened.close()).catch(() => undefined);
    void Promise.resolve(closed).finally(() => process.exit(1));
  });
try {
  process.exitCode = (await main()) ? 0 : 1;
} finally {
  await stage?.close();
}
process.exit();
