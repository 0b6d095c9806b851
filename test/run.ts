/**
 * Runs the whole test suite, fast tiers first and whole sandboxes beside them; `npm test -- --tier NAME` runs one,
 * `npm test -- FILE ...` some files, `--times N` all of it N times. What failed is said again at the end, and added to
 * the file ANANTA_TEST_FAILURES, where that is set. Exit code 0 only when every tier passed; 3 when the tier `node` was
 * asked for and this machine cannot run it.
 */
import { appendFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import PQueue from 'p-queue';
import { NodePreflightError, nodeRequirements } from '../bootstrap/index.ts';
import { acquireTools } from '../bootstrap/tools/index.ts';
import { formatProgress } from '../bootstrap/tools/progress.ts';
import { workflowBuild } from '../src/clients/temporal/bundle.ts';
import { readConfig } from '../src/config.ts';
import { EXIT_CODES } from '../src/contract/failures.ts';
import { check } from './runner/check.ts';
import { grouped, type Outcome, runFile } from './runner/files.ts';
import { longestFirst, SANDBOXES_ALONE, SANDBOXES_BESIDE, type Tier, TIERS, waits } from './runner/tiers.ts';
import { nodeToolNames, toolNames } from './support/tools.ts';

const config = readConfig();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tier: { type: 'string', multiple: true },
    list: { type: 'boolean' },
    times: { type: 'string', default: '1' },
  },
});
/** Those that are named are watched while they run; of all others a file is said as a whole, when it has ended. */
const named = positionals.length > 0;
const wanted: readonly Tier[] = named
  ? [
      {
        name: 'files',
        what: 'named on the command line',
        files: positionals.map((file) => relative(config.repoRoot, join(process.cwd(), file))),
        concurrency: 1,
        tools: true,
      },
    ]
  : TIERS.filter((tier) => (values.tier === undefined ? tier.name !== 'node' : values.tier.includes(tier.name)));
if (values.list === true) {
  for (const tier of wanted) console.log(`${tier.name}: ${tier.what}\n  ${tier.files.join('\n  ')}`);
  process.exit(0);
}
if (values.tier?.includes('node') === true) {
  const missing = (await nodeRequirements()).filter(({ ok }) => !ok);
  if (missing.length > 0) {
    console.error(`The tier "node" is NOT RUN. ${new NodePreflightError(missing).message}`);
    process.exit(EXIT_CODES.refused);
  }
}

const began = performance.now();
const total: Outcome = { passed: 0, failed: 0, skipped: 0, failures: [] };
/** When the first of each began and the last ended, which for sandboxes is beside the others. */
const spans = new Map<string, { from: number; to: number }>();
/** What each file has taken of the processors, where that can be counted. */
const dearest: { cpuSeconds: number; line: string }[] = [];
const DEAREST_SAID = 10;

function seconds(from: number, to: number = performance.now()): string {
  return ((to - from) / 1000).toFixed(1);
}

async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  try {
    return await work();
  } finally {
    spans.set(name, { from: spans.get(name)?.from ?? from, to: performance.now() });
  }
}

async function runOne(tier: Tier, file: string): Promise<void> {
  const lines: string[] = [];
  const from = performance.now();
  const outcome = await timed(tier.name, () =>
    runFile(file, tier.name, (line) => {
      if (named) console.log(line);
      else lines.push(line);
    }),
  );
  const name = file.startsWith('test/') ? file : tier.name;
  const took = seconds(from);
  if (outcome.cpuSeconds !== undefined) dearest.push({ cpuSeconds: outcome.cpuSeconds, line: `${name} (${took} s)` });
  if (!named) console.log([`\n── ${name} (${took} s)`, ...lines].join('\n').trimEnd());
  total.passed += outcome.passed;
  total.failed += outcome.failed;
  total.skipped += outcome.skipped;
  total.failures.push(...outcome.failures);
}

function processesOf({ name, files, processes, alone = [] }: Tier): readonly string[] {
  if (processes === undefined) return files;
  const isAlone = (file: string): boolean => alone.includes(file);
  return [
    ...files.filter(isAlone),
    ...grouped(
      name,
      files.filter((file) => !isAlone(file)),
      processes,
    ),
  ];
}

function runTiers(
  tiers: readonly Tier[],
  queue: PQueue,
  which: (file: string) => boolean = () => true,
): Promise<unknown> {
  const all = tiers.flatMap((tier) =>
    processesOf(tier)
      .filter(which)
      .map((file) => ({ tier, file })),
  );
  const order = longestFirst(all.map(({ file }) => file));
  all.sort((one, other) => order.indexOf(one.file) - order.indexOf(other.file));
  return queue.addAll(
    all.map(
      ({ tier, file }) =>
        () =>
          runOne(tier, file),
    ),
  );
}

async function runCheck(): Promise<void> {
  const { passed, lines } = await timed('check', check);
  console.log(['\n── check: types, lint, format', ...lines].join('\n'));
  if (passed) total.passed += 1;
  else {
    total.failed += 1;
    total.failures.push(`✖ check\n${lines.join('\n')}`);
  }
}

/** Whatever comes of it: it only saves time. */
async function compileModules(): Promise<void> {
  const file = join(config.repoRoot, 'test', 'runner', 'compile.ts');
  await execa(process.execPath, ['--disable-warning=ExperimentalWarning', file], { reject: false, stdio: 'ignore' });
}

async function acquire(): Promise<void> {
  const node = wanted.some(({ files }) => files.some((file) => file.startsWith('test/node/')));
  const tools = acquireTools({
    names: node ? [...toolNames, ...nodeToolNames] : toolNames,
    cacheDir: config.cacheDir,
    ...(config.toolsMirror === undefined ? {} : { mirror: config.toolsMirror }),
    env: config.childEnv,
    onProgress: (event) => {
      const line = formatProgress(event);
      if (line) console.log(line);
    },
  });
  await tools.all();
}

/**
 * Everything once: the quick tiers one after the other, and sandboxes beside. After the first of them those join that
 * mostly wait, and more sandboxes run at once when the quick tiers no longer need the processors.
 */
async function round(checked: boolean): Promise<void> {
  const isSandboxes = ({ sandboxes }: Tier): boolean => sandboxes === true;
  const slow = wanted.filter(isSandboxes);
  const quick = wanted.filter((tier) => !isSandboxes(tier));
  const queue = new PQueue({ concurrency: SANDBOXES_BESIDE });
  const busy = runTiers(slow, queue, (file) => !waits(file));
  const checking = checked ? runCheck() : undefined;
  const beside = new PQueue({ concurrency: 1 });
  let waiting: Promise<unknown> | undefined;
  for (const tier of quick) {
    await runTiers([tier], new PQueue({ concurrency: tier.concurrency }));
    waiting ??= runTiers(slow, beside, waits);
  }
  await checking;
  queue.concurrency = SANDBOXES_ALONE;
  await Promise.all([busy, waiting ?? runTiers(slow, beside, waits)]);
}

if (wanted.some((tier) => tier.tools)) {
  // The bundle of the workflow code, and modules compiled, once: all that need them would make them at the same time.
  const made = named ? [] : [workflowBuild(config.repoRoot, config.stateRoot), compileModules()];
  await timed('tools', () => Promise.all([acquire(), ...made]));
}
const checked = !named && (values.tier === undefined || values.tier.includes('check'));
for (let time = 0; time < Number(values.times); time += 1) await round(checked && time === 0);
if (total.failures.length > 0) {
  const again = `\nWhat failed:\n${total.failures.join('\n')}\n`;
  console.log(again);
  const { ANANTA_TEST_FAILURES: file } = process.env;
  if (file !== undefined) appendFileSync(file, again);
}
if (dearest.length > 0) {
  const most = dearest.toSorted((one, other) => other.cpuSeconds - one.cpuSeconds).slice(0, DEAREST_SAID);
  const sum = dearest.reduce((all, { cpuSeconds }) => all + cpuSeconds, 0);
  console.log(`\nCPU seconds, ${sum.toFixed(0)} in all; of these:`);
  for (const { cpuSeconds, line } of most) console.log(`${cpuSeconds.toFixed(1).padStart(7)}  ${line}`);
}
console.log(`\n${[...spans].map(([name, { from, to }]) => `${name} ${seconds(from, to)} s`).join(', ')}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped; ${seconds(began)} s in all`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
