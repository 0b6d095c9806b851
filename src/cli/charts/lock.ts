/** `ananta charts lock`: the one command that trusts what a repository serves, and prints that it does. */
import { writeFile } from 'node:fs/promises';
import PQueue from 'p-queue';
import { ChartDigestError, ChartUnavailableError } from '../../clients/charts/index.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { writtenLock } from '../../plan/charts/lock.ts';
import { placeName } from '../../plan/charts/wanted.ts';
import type { ChartsOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine, count } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import { openCharts } from './open.ts';

export interface LockedRow {
  chart: string;
  version: string;
  digest: string;
  source: string;
  change: 'new' | 'version' | 'digest' | 'none';
  /** What the lock said before; absent where it said nothing. */
  before?: { version: string; digest: string };
}

const AT_ONCE = 4;

export async function lockCharts(
  context: CliContext,
  names: readonly string[],
  { env, json }: ChartsOptions,
): Promise<ExitCode> {
  const { charts, store, lock, lockFile } = await openCharts(context, env, names, true);
  const queue = new PQueue({ concurrency: AT_ONCE });
  const problems: string[] = [];
  const rows = (
    await Promise.all(
      charts.map((chart) =>
        queue.add(async (): Promise<LockedRow[]> => {
          try {
            const digest = await store.lock(chart);
            const before = lock.charts[chart.key];
            const change =
              before === undefined
                ? 'new'
                : before.version !== chart.version
                  ? 'version'
                  : before.digest !== digest
                    ? 'digest'
                    : 'none';
            return [
              {
                chart: chart.key,
                version: chart.version,
                digest,
                source: placeName(chart.place),
                change,
                ...(before === undefined ? {} : { before: { version: before.version, digest: before.digest } }),
              },
            ];
          } catch (error) {
            if (!(error instanceof ChartDigestError || error instanceof ChartUnavailableError)) throw error;
            problems.push(error.message);
            return [];
          }
        }),
      ),
    )
  ).flat();
  if (problems.length > 0) {
    throw refused(
      `${count(problems.length, 'chart')} cannot be locked, and ${lockFile} stays as it is:\n${problems.sort().join('\n')}`,
      `Name those that can be had: ${commandLine('charts', 'lock', 'CHART', '--env', env)}`,
      "Or have them fetched from elsewhere: chartMirror in the environment's file.",
    );
  }
  const merged = {
    ...lock.charts,
    ...Object.fromEntries(rows.map(({ chart, version, digest, source }) => [chart, { version, digest, source }])),
  };
  await writeFile(lockFile, writtenLock({ charts: merged }));
  const { stdout, style } = context.terminal;
  if (json) printLines(stdout, [JSON.stringify({ environment: env, lock: lockFile, charts: rows })]);
  else {
    printLines(stdout, [
      ...rows.map((row) =>
        style(
          row.change === 'digest' ? 'bad' : row.change === 'none' ? 'dim' : 'good',
          `${row.chart} ${row.version}  ${row.digest}  ${WORDS[row.change]}${row.change === 'digest' ? ` (was ${row.before?.digest ?? ''})` : ''}`,
        ),
      ),
      '',
      `Written: ${lockFile}`,
      ...firstSight(rows),
      ...(rows.some(({ change }) => change === 'digest')
        ? [style('bad', 'An archive changed under the same version. Find out why before you commit this.')]
        : []),
    ]);
  }
  return EXIT_CODES.done;
}

/** Nothing was there to compare it with. */
function firstSight(rows: readonly LockedRow[]): string[] {
  const fresh = rows.filter(({ change }) => change === 'new' || change === 'version');
  if (fresh.length === 0) return [];
  return [
    `Only what was served just now vouches for ${fresh.map(({ chart }) => chart).join(', ')}.`,
    'Before you commit this, have the sums compared from another network (docs/look-up/upstream-charts.md); from then on another archive is refused.',
  ];
}

const WORDS: Record<LockedRow['change'], string> = {
  new: 'new',
  version: 'new version',
  digest: 'ANOTHER ARCHIVE under the same version',
  none: 'as it was',
};
