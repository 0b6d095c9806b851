/** Runs test files, each in a process of its own with a limit, and collects their results. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { readConfig } from '../../src/config.ts';
import { countProcessorTime } from './processor-time.ts';

export interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
  /** One text for each test that failed, with its place and its error. */
  failures: string[];
  /** CPU seconds of all its processes; absent where the machine does not let us count. */
  cpuSeconds?: number;
}

/** No file takes a quarter of this on two busy processors. One that hangs fails, and the others still run. */
const FILE_TIMEOUT_MS = 12 * 60_000;
/** Real pods take their time to start. */
const NODE_FILE_TIMEOUT_MS = 30 * 60_000;
/**
 * Four times V8's default of 16 MiB: garbage is collected less often, which saves a fifteenth of the processor time.
 */
const YOUNG_GENERATION = '--max-semi-space-size=64';
const LINES_OF_A_FAILURE = 30;
/** Totals that the reporter prints for each file. */
const SUM = /^\S*ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+\S*$/;

const { repoRoot, stateRoot } = readConfig();
const absolute = (file: string): string => join(repoRoot, file);

/**
 * @param tier its name, for the failures
 * @param say gets what the reporter writes, line by line, while the file runs
 */
export async function runFile(file: string, tier: string, say: (line: string) => void): Promise<Outcome> {
  const outcome: Outcome = { passed: 0, failed: 0, skipped: 0, failures: [] };
  const timeout = file.startsWith('test/node/') ? NODE_FILE_TIMEOUT_MS : FILE_TIMEOUT_MS;
  const counted = countProcessorTime();
  const guard = pathToFileURL(join(repoRoot, 'test', 'support', 'test-process.ts'));
  guard.searchParams.set('seconds', String(timeout / 1000 + 30));
  if (counted !== undefined) guard.searchParams.set('count', counted.joinFile);
  const stream = run({
    files: [absolute(file)],
    timeout,
    execArgv: ['--disable-warning=ExperimentalWarning', YOUNG_GENERATION, '--import', guard.href],
  });
  stream.on('test:summary', (summary) => {
    // Without a file: the totals of the run.
    if (summary.file !== undefined) return;
    outcome.passed = summary.counts.passed;
    outcome.skipped = summary.counts.skipped;
    outcome.failed = summary.counts.tests - summary.counts.passed - summary.counts.skipped - summary.counts.todo;
  });
  stream.on('test:fail', ({ name, file: place, line, details: { error } }) => {
    // The failure of a suite that only contains a failed test says nothing new.
    if ((error as { failureType?: string }).failureType === 'subtestsFailed') return;
    outcome.failures.push(
      `✖ ${tier}: ${name} (${place === undefined ? '' : relative(repoRoot, place)}:${line ?? ''})\n${inspect(
        error.cause ?? error,
      )
        .split('\n')
        .slice(0, LINES_OF_A_FAILURE)
        .map((text) => `  ${text.slice(0, 1_000)}`)
        .join('\n')}`,
    );
  });
  let rest = '';
  for await (const chunk of stream.compose(spec)) {
    const lines = `${rest}${String(chunk)}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (!SUM.test(line)) say(line);
  }
  if (rest !== '') say(rest);
  if (counted !== undefined) {
    outcome.cpuSeconds = counted.seconds();
    await counted.remove();
  }
  return outcome;
}

/**
 * @param name of the tier
 * @returns files that import those of a group each, neighbours in different groups since they take about as long
 */
export function grouped(name: string, files: readonly string[], groups: number): string[] {
  const folder = join(stateRoot, 'cache', 'tests');
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: Math.min(groups, files.length) }, (_, group) => {
    const path = join(folder, `${name}-${group + 1}.test.mjs`);
    const members = files.filter((_file, index) => index % groups === group);
    for (const file of members) {
      // A hook at the top of a file would also run before each test of the other files in its process.
      if (/^(before|after)Each\(/m.test(readFileSync(absolute(file), 'utf8')))
        throw new Error(
          `${file}: what runs before or after each test belongs into a describe, since files share a process`,
        );
    }
    const imports = members.map((file) => `import ${JSON.stringify(pathToFileURL(absolute(file)).href)};\n`);
    writeFileSync(path, imports.join(''));
    return relative(repoRoot, path);
  });
}
