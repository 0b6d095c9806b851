/**
 * Runs the whole test suite, fast tiers first; `npm test -- --tier NAME` runs one, `npm test -- FILE ...` some files.
 * What failed is said again at the end, and added to the file ANANTA_TEST_FAILURES, where that is set. Exit code 0 only
 * when every tier passed; 3 when the tier `node` was asked for and this machine cannot run it.
 */
import { appendFileSync, globSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { performance } from 'node:perf_hooks';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';
import { inspect, parseArgs } from 'node:util';
import { execa } from 'execa';
import { NodePreflightError, nodeRequirements } from '../bootstrap/index.ts';
import { acquireTools } from '../bootstrap/tools/index.ts';
import { formatProgress } from '../bootstrap/tools/progress.ts';
import { readConfig } from '../src/config.ts';
import { EXIT_CODES } from '../src/contract/failures.ts';
import { nodeToolNames, toolNames } from './support/tools.ts';

interface Tier {
  name: string;
  what: string;
  files: string[];
  /** Test files at once. */
  concurrency: number;
  tools: boolean;
}

const config = readConfig();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tier: { type: 'string', multiple: true }, list: { type: 'boolean' } },
});

const inFolder = (pattern: string): string[] => globSync(pattern, { cwd: config.repoRoot }).sort();
/** No file takes half of it on two busy cores: one that hangs fails, and the others still run. */
const FILE_TIMEOUT_MS = 12 * 60_000;
const LINES_OF_A_FAILURE = 30;
/** Real pods take their time to start. */
const NODE_FILE_TIMEOUT_MS = 30 * 60_000;
const SLOW = ['test/integration/', 'test/e2e/', 'test/helm/', 'test/workflows/', 'test/node/'];
const TIERS: Tier[] = [
  {
    name: 'unit',
    what: 'tables for the core, fakes at the borders',
    files: inFolder('test/**/*.test.ts').filter((file) => !SLOW.some((folder) => file.startsWith(folder))),
    concurrency: Math.max(2, cpus().length),
    tools: false,
  },
  {
    name: 'helm',
    what: 'charts: lint, golden files, rules',
    files: inFolder('test/helm/*.test.ts'),
    concurrency: 2,
    tools: true,
  },
  {
    name: 'workflows',
    what: 'workflows on a real Temporal server, replay of recorded histories',
    files: inFolder('test/workflows/*.test.ts'),
    concurrency: 2,
    tools: true,
  },
  {
    name: 'integration',
    what: 'clients and bootstrap on real parts',
    files: inFolder('test/integration/*.test.ts'),
    concurrency: 2,
    tools: true,
  },
  {
    name: 'node',
    what: 'a real Kubernetes node with real pods; needs root and containerd',
    files: inFolder('test/node/*.test.ts'),
    concurrency: 1,
    tools: true,
  },
  {
    name: 'e2e',
    what: 'whole deployments and faults',
    files: inFolder('test/e2e/*.test.ts'),
    concurrency: 1,
    tools: true,
  },
];

/** At once, since each uses one processor. What they say comes one after the other. */
async function check(): Promise<boolean> {
  const outcomes = await Promise.all(
    (
      [
        ['biome', ['check', '--log-level=error', '.']],
        ['tsc', ['--noEmit']],
        ['eslint', ['.', '--cache', '--cache-location', join(config.stateRoot, 'cache', 'eslint')]],
      ] as const
    ).map(async ([name, args]) => {
      const started = performance.now();
      const { exitCode, all } = await execa(
        process.execPath,
        [join(config.repoRoot, 'node_modules', '.bin', name), ...args],
        { cwd: config.repoRoot, all: true, reject: false },
      );
      return { name, ok: exitCode === 0, all, took: seconds(started) };
    }),
  );
  for (const { name, ok, all, took } of outcomes)
    console.log(`${all === '' ? '' : `${all}\n`}${ok ? '✔' : '✘'} ${name} (${took} s)`);
  return outcomes.every(({ ok }) => ok);
}

async function runTier(tier: Tier): Promise<{ passed: number; failed: number; skipped: number }> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const timeout = tier.files.some((file) => file.startsWith('test/node/')) ? NODE_FILE_TIMEOUT_MS : FILE_TIMEOUT_MS;
  const guard = pathToFileURL(join(config.repoRoot, 'test', 'support', 'file-limit.ts'));
  guard.searchParams.set('seconds', String(timeout / 1000 + 30));
  const stream = run({
    files: tier.files.map((file) => join(config.repoRoot, file)),
    concurrency: tier.concurrency,
    timeout,
    execArgv: ['--disable-warning=ExperimentalWarning', '--import', guard.href],
  });
  stream.on('test:summary', (summary) => {
    // Without a file: the totals of the whole run.
    if (summary.file !== undefined) return;
    counts.passed = summary.counts.passed;
    counts.skipped = summary.counts.skipped;
    counts.failed = summary.counts.tests - summary.counts.passed - summary.counts.skipped - summary.counts.todo;
  });
  stream.on('test:fail', ({ name, file, line, details: { error } }) => {
    // What only contains one that failed says nothing new.
    if ((error as { failureType?: string }).failureType === 'subtestsFailed') return;
    failures.push(
      `✖ ${tier.name}: ${name} (${file === undefined ? '' : relative(config.repoRoot, file)}:${line ?? ''})\n${inspect(
        error.cause ?? error,
      )
        .split('\n')
        .slice(0, LINES_OF_A_FAILURE)
        .map((text) => `  ${text.slice(0, 1_000)}`)
        .join('\n')}`,
    );
  });
  const lines = stream.compose(spec);
  for await (const chunk of lines) process.stdout.write(chunk);
  return counts;
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

const wanted =
  positionals.length > 0
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

/** Of all tiers: said again at the end, where people look. */
const failures: string[] = [];
const total = { passed: 0, failed: 0, skipped: 0 };
const times: string[] = [];
if (positionals.length === 0 && (values.tier === undefined || values.tier.includes('check'))) {
  const started = performance.now();
  if (await check()) total.passed += 2;
  else total.failed += 1;
  times.push(`check ${seconds(started)} s`);
}
if (wanted.some((tier) => tier.tools)) {
  const started = performance.now();
  const tools = acquireTools({
    names: wanted.some(({ files }) => files.some((file) => file.startsWith('test/node/')))
      ? [...toolNames, ...nodeToolNames]
      : toolNames,
    cacheDir: config.cacheDir,
    ...(config.toolsMirror === undefined ? {} : { mirror: config.toolsMirror }),
    env: config.childEnv,
    onProgress: (event) => {
      const line = formatProgress(event);
      if (line) console.log(line);
    },
  });
  await tools.all();
  times.push(`tools ${seconds(started)} s`);
}
for (const tier of wanted) {
  if (tier.files.length === 0) continue;
  console.log(`\n── ${tier.name}: ${tier.what}`);
  const started = performance.now();
  const counts = await runTier(tier);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  times.push(`${tier.name} ${seconds(started)} s`);
}
if (failures.length > 0) {
  const again = `\nWhat failed:\n${failures.join('\n')}\n`;
  console.log(again);
  const { ANANTA_TEST_FAILURES: file } = process.env;
  if (file !== undefined) appendFileSync(file, again);
}
console.log(`\n${times.join(', ')}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
