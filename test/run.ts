/**
 * Runs the whole test suite, fast tiers first; `npm test -- --tier NAME` runs one, `npm test -- FILE ...` some files,
 * `--times N` all of it N times. What failed is said again at the end, and added to the file ANANTA_TEST_FAILURES,
 * where that is set. Exit code 0 only when every tier passed; 3 when the tier `node` was asked for and this machine
 * cannot run it.
 */
import { appendFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
  /** Into how many processes its files go; one each otherwise. */
  processes?: number;
  /** Its files and those of the tier before share the machine: neither waits for the other's last file. */
  withTheOneBefore?: true;
}

const config = readConfig();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tier: { type: 'string', multiple: true },
    list: { type: 'boolean' },
    times: { type: 'string', default: '1' },
  },
});

const inFolder = (pattern: string): string[] => globSync(pattern, { cwd: config.repoRoot }).sort();
const longestFirst = (files: string[]): string[] => {
  const longest = LONGEST.filter((file) => files.includes(file));
  return [...longest, ...files.filter((file) => !longest.includes(file))];
};
/** No file takes half of it on two busy cores: one that hangs fails, and the others still run. */
const FILE_TIMEOUT_MS = 12 * 60_000;
const LINES_OF_A_FAILURE = 30;
/** Real pods take their time to start. */
const NODE_FILE_TIMEOUT_MS = 30 * 60_000;
const SLOW = ['test/integration/', 'test/e2e/', 'test/helm/', 'test/workflows/', 'test/node/'];
/** Of the unit tests: to start one for each file costs more than the tests do, and many of them wait for something. */
const PROCESSES = 3 * cpus().length;
/** Simulated pods, timeouts and locks are waited for about as long as something is computed. */
const SANDBOXES = Math.max(2, cpus().length);
/** The longest of those that share the machine begin first, so that none of them is left alone at the end. */
const LONGEST = [
  ...['shared-cluster', 'ananta/deploy', 'rollback', 'destroy', 'lock', 'drift-run', 'bootstrap'].map(
    (name) => `test/e2e/${name}.test.ts`,
  ),
  'test/integration/embedded.test.ts',
];
const TIERS: Tier[] = [
  {
    name: 'unit',
    what: 'tables for the core, fakes at the borders',
    files: inFolder('test/**/*.test.ts').filter((file) => !SLOW.some((folder) => file.startsWith(folder))),
    concurrency: PROCESSES,
    processes: PROCESSES,
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
    // Timers and retries are waited for.
    concurrency: 2 * SANDBOXES,
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
    files: longestFirst(inFolder('test/e2e/**/*.test.ts')),
    concurrency: SANDBOXES,
    tools: true,
  },
  {
    name: 'integration',
    what: 'clients and bootstrap on real parts',
    files: inFolder('test/integration/*.test.ts'),
    concurrency: SANDBOXES,
    tools: true,
    withTheOneBefore: true,
  },
];

/** At once, since each uses one processor. What they say comes one after the other. */
async function check(): Promise<{ passed: boolean; lines: string[]; took: string }> {
  const started = performance.now();
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
  return {
    passed: outcomes.every(({ ok }) => ok),
    lines: outcomes.map(
      ({ name, ok, all, took }) => `${all === '' ? '' : `${all}\n`}${ok ? '✔' : '✘'} ${name} (${took} s)`,
    ),
    took: seconds(started),
  };
}

const absolute = (file: string): string => join(config.repoRoot, file);

/** @returns files that import those of a group each, neighbours in different groups since they take about as long */
function grouped(files: readonly string[], groups: number): string[] {
  const folder = join(config.stateRoot, 'cache', 'tests');
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: Math.min(groups, files.length) }, (_, group) => {
    const path = join(folder, `group-${group + 1}.test.mjs`);
    const members = files.filter((_file, index) => index % groups === group);
    for (const file of members) {
      // It would run before each test of the others, too.
      if (/^(before|after)Each\(/m.test(readFileSync(absolute(file), 'utf8')))
        throw new Error(
          `${file}: what runs before or after each test belongs into a describe, since files share a process`,
        );
    }
    const imports = members.map((file) => `import ${JSON.stringify(pathToFileURL(absolute(file)).href)};\n`);
    writeFileSync(path, imports.join(''));
    return path;
  });
}

/** Tiers that share the machine are one. */
function together(tiers: readonly Tier[]): Tier[] {
  return tiers.reduce<Tier[]>((before, tier) => {
    const last = before.at(-1);
    if (!tier.withTheOneBefore || last === undefined) return [...before, tier];
    const both = { ...last, name: `${last.name}, ${tier.name}`, what: `${last.what}; ${tier.what}` };
    return [...before.slice(0, -1), { ...both, files: longestFirst([...last.files, ...tier.files]) }];
  }, []);
}

async function runTier(tier: Tier): Promise<{ passed: number; failed: number; skipped: number }> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const timeout = tier.files.some((file) => file.startsWith('test/node/')) ? NODE_FILE_TIMEOUT_MS : FILE_TIMEOUT_MS;
  const guard = pathToFileURL(join(config.repoRoot, 'test', 'support', 'file-limit.ts'));
  guard.searchParams.set('seconds', String(timeout / 1000 + 30));
  const stream = run({
    files: tier.processes === undefined ? tier.files.map(absolute) : grouped(tier.files, tier.processes),
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

const began = performance.now();
/** Of all tiers: said again at the end, where people look. */
const failures: string[] = [];
const total = { passed: 0, failed: 0, skipped: 0 };
const times: string[] = [];
// Beside the first tier: eslint alone, which takes the longest, is one process.
let checking =
  positionals.length === 0 && (values.tier === undefined || values.tier.includes('check')) ? check() : undefined;
/** Says how it ended, once, where it does not stand between the lines of a tier. */
async function checked(): Promise<void> {
  if (checking === undefined) return;
  const { passed, lines, took } = await checking;
  checking = undefined;
  for (const line of ['\n── check: types, lint, format', ...lines]) console.log(line);
  if (passed) total.passed += 2;
  else {
    total.failed += 1;
    failures.push(`✖ check\n${lines.join('\n')}`);
  }
  times.push(`check ${took} s`);
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
const rounds = Array.from({ length: Number(values.times) }, () => together(wanted)).flat();
for (const tier of rounds) {
  if (tier.files.length === 0) continue;
  console.log(`\n── ${tier.name}: ${tier.what}`);
  const started = performance.now();
  const counts = await runTier(tier);
  await checked();
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  times.push(`${tier.name} ${seconds(started)} s`);
}
await checked();
if (failures.length > 0) {
  const again = `\nWhat failed:\n${failures.join('\n')}\n`;
  console.log(again);
  const { ANANTA_TEST_FAILURES: file } = process.env;
  if (file !== undefined) appendFileSync(file, again);
}
console.log(`\n${times.join(', ')}; ${seconds(began)} s in all`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
