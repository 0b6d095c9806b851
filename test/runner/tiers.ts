/** What the suite consists of: tiers of test files, and how many of each run at once. */
import { globSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { readConfig } from '../../src/config.ts';

export interface Tier {
  name: string;
  what: string;
  files: string[];
  /** Test files at once. */
  concurrency: number;
  tools: boolean;
  /** Into how many processes its files go; one each otherwise. */
  processes?: number;
  /** Of its files those that have a process of their own all the same. */
  alone?: readonly string[];
  /** Whole sandboxes: they run beside the other tiers, those of all such tiers from one queue. */
  sandboxes?: true;
}

const { repoRoot } = readConfig();
const inFolder = (pattern: string): string[] => globSync(pattern, { cwd: repoRoot }).sort();
const SLOW = ['test/integration/', 'test/e2e/', 'test/helm/', 'test/workflows/', 'test/node/'];
/**
 * Processes for the unit tests: starting one for each file costs more than the tests themselves, and many of them wait
 * for something.
 */
const PROCESSES = 3 * cpus().length;
/** These set what a process has once: metrics' address, tracing, a state folder for commands. */
const ALONE = ['metrics', 'traces', 'watch'].map((name) => `test/workflows/${name}.test.ts`);
/** Whole sandboxes that run at once beside other tiers; with one more, tests run into their time limits. */
export const SANDBOXES_BESIDE = cpus().length;
/** Bytes that a sandbox takes with its worker and its test: 2.3 to 2.8 GB were seen. */
const SANDBOX_MEMORY = 3 * 1024 ** 3;
/** Of the machine, or what this process may have of it. */
const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity);
const most = Math.floor(memory / SANDBOX_MEMORY);
/** Whole sandboxes at once when no other tier runs: one more uses what the others leave; two more delay each other. */
export const SANDBOXES_ALONE = Math.max(SANDBOXES_BESIDE, Math.min(cpus().length + 1, most - 1));
/** These begin first, in this order, so that no long file runs alone at the end. */
const LONGEST = [
  'test/e2e/shared-cluster.test.ts',
  'test/e2e/ananta/deploy.test.ts',
  ...['destroy', 'rollback'].map((name) => `test/e2e/${name}.test.ts`),
  'test/integration/embedded.test.ts',
  ...['shared-engine', 'durability-local-stack', 'cancel', 'durability', 'lock', 'install'].map(
    (name) => `test/e2e/${name}.test.ts`,
  ),
  ...['ananta/upstream', 'plan', 'drift-run'].map((name) => `test/e2e/${name}.test.ts`),
  ...['helm-killed', 'cluster-rights', 'cli-external'].map((name) => `test/integration/${name}.test.ts`),
  // Files that mostly wait.
  'test/integration/vault-servers.test.ts',
  'test/e2e/vault-tls.test.ts',
  ...['activities', 'engine-access'].map((name) => `test/integration/${name}.test.ts`),
];

/** These wait for servers, timers and other people's time-outs for the most part. */
const WAITING = [
  'test/e2e/vault-tls.test.ts',
  ...['vault-servers', 'activities', 'engine-access', 'simulated-pods', 'charts'].map(
    (name) => `test/integration/${name}.test.ts`,
  ),
];

/**
 * Whether a whole sandbox leaves the processors to others, so that it can run beside as many as there are processors.
 */
export function waits(file: string): boolean {
  return WAITING.includes(file);
}

export function longestFirst(files: readonly string[]): string[] {
  const longest = LONGEST.filter((file) => files.includes(file));
  return [...longest, ...files.filter((file) => !longest.includes(file))];
}

/** In the order in which they are worth knowing. */
export const TIERS: readonly Tier[] = [
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
    files: inFolder('test/workflows/**/*.test.ts'),
    // Timers and retries are waited for.
    concurrency: 2 * cpus().length,
    processes: 2 * cpus().length,
    alone: ALONE,
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
    files: inFolder('test/e2e/**/*.test.ts'),
    concurrency: SANDBOXES_BESIDE,
    tools: true,
    sandboxes: true,
  },
  {
    name: 'integration',
    what: 'clients and local stack on real parts',
    files: inFolder('test/integration/*.test.ts'),
    concurrency: SANDBOXES_BESIDE,
    tools: true,
    sandboxes: true,
  },
];
