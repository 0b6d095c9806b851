/** `ananta charts list` and `charts verify`: what is there, without asking anybody. */
import type { ChartState } from '../../clients/charts/index.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { archivePath, placeName } from '../../plan/charts/wanted.ts';
import type { ChartsOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { commandLine, count, table } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import { type ChartWork, openCharts } from './open.ts';

export interface ChartRow {
  chart: string;
  version: string;
  digest: string | null;
  from: string;
  services: string[];
  state: ChartState;
  /** Of the cached archive; null where there is none. */
  path: string | null;
}

const WORDS: Record<ChartState, string> = {
  ready: 'cached',
  missing: 'not fetched',
  damaged: 'damaged',
  unlocked: 'not in the lock',
};

export async function listCharts(context: CliContext, { env, json }: ChartsOptions): Promise<ExitCode> {
  const work = await openCharts(context, env, [], true);
  const rows = await rowsOf(work, context);
  const { stdout, style } = context.terminal;
  if (json) printLines(stdout, [JSON.stringify({ environment: env, lock: work.lockFile, charts: rows })]);
  else {
    printLines(stdout, [
      ...table([
        ['Chart', 'Version', 'Digest', 'State', 'From', 'Services'],
        ...rows.map((row) => [
          row.chart,
          row.version,
          short(row.digest),
          WORDS[row.state],
          row.from,
          row.services.join(', ') || '-',
        ]),
      ]),
      '',
      style('dim', `Lock: ${work.lockFile}`),
    ]);
  }
  return EXIT_CODES.done;
}

export async function verifyCharts(context: CliContext, { env, json }: ChartsOptions): Promise<ExitCode> {
  const work = await openCharts(context, env, []);
  const rows = await rowsOf(work, context);
  const wrong = rows.filter(({ state }) => state !== 'ready');
  const { stdout, style } = context.terminal;
  if (json) printLines(stdout, [JSON.stringify({ environment: env, verified: wrong.length === 0, charts: rows })]);
  else {
    printLines(stdout, [
      ...rows.map((row) =>
        style(
          row.state === 'ready' ? 'good' : 'bad',
          `${row.state === 'ready' ? '✔' : '✘'} ${row.chart} ${row.version}  ${row.state === 'ready' ? (row.digest ?? '') : WORDS[row.state]}`,
        ),
      ),
      ...(rows.length === 0 ? [`${env} installs no publisher's chart.`] : []),
      ...(wrong.length === 0
        ? []
        : [
            '',
            `${wrong.length} of ${count(rows.length, 'chart')} cannot be installed from this machine's cache.`,
            ...nextFor(rows, env).map((line) => `${style('bold', 'Next:')} ${line}`),
          ]),
    ]);
  }
  return wrong.length === 0 ? EXIT_CODES.done : EXIT_CODES.changes;
}

function nextFor(rows: readonly ChartRow[], environment: string): string[] {
  return [
    ...(rows.some(({ state }) => state === 'unlocked')
      ? [`${commandLine('charts', 'lock', '--env', environment)}   (writes down what is served now)`]
      : []),
    ...(rows.some(({ state }) => state === 'missing' || state === 'damaged')
      ? [`${commandLine('charts', 'pull', '--env', environment)}   (fetches and verifies)`]
      : []),
  ];
}

async function rowsOf({ charts, store }: ChartWork, { config }: CliContext): Promise<ChartRow[]> {
  return Promise.all(
    charts.map(async (chart) => {
      const state = await store.look(chart);
      return {
        chart: chart.key,
        version: chart.version,
        digest: chart.digest ?? null,
        from: placeName(chart.place),
        services: chart.services,
        state,
        path: state === 'ready' || state === 'damaged' ? archivePath(config, chart) : null,
      };
    }),
  );
}

function short(digest: string | null): string {
  return digest === null ? '-' : digest.slice(0, 'sha256:'.length + 12);
}
