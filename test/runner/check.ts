/** Types, lint and format of the whole checkout, at once, since each uses about one processor. */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { execa } from 'execa';
import { readConfig } from '../../src/config.ts';

export interface Checked {
  passed: boolean;
  /** What each of the programs said, and how long it took. */
  lines: string[];
}

const { repoRoot } = readConfig();
const PROGRAMS: readonly (readonly [string, readonly string[]])[] = [
  ['biome', ['check', '--log-level=error', '.']],
  ['oxlint', ['.']],
];

export async function check(): Promise<Checked> {
  const outcomes = await Promise.all(
    PROGRAMS.map(async ([name, args]) => {
      const started = performance.now();
      const { exitCode, all } = await execa(process.execPath, [join(repoRoot, 'node_modules', '.bin', name), ...args], {
        cwd: repoRoot,
        all: true,
        reject: false,
        // The type checks of the linter run in a Go program that ends soon: its garbage collection would take a fifth
        // of its time.
        env: { GOGC: '1000' },
      });
      const ok = exitCode === 0;
      const took = ((performance.now() - started) / 1000).toFixed(1);
      return { ok, lines: [...(ok ? [] : [all]), `${ok ? '✔' : '✘'} ${name} (${took} s)`] };
    }),
  );
  return { passed: outcomes.every(({ ok }) => ok), lines: outcomes.flatMap(({ lines }) => lines) };
}
