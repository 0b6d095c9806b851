/** Fetches what is missing, several at once, and reports everything that is wrong together. */
import PQueue from 'p-queue';
import { ChartDigestError, type ChartStore, ChartUnavailableError } from '../../clients/charts/index.ts';
import type { NeededChart } from '../../plan/charts/wanted.ts';
import { type CliError, refused } from '../shared/failure.ts';
import { commandLine, count } from '../shared/format.ts';

export interface FetchedChart {
  chart: NeededChart;
  path: string;
  /** false: it was there. */
  fetched: boolean;
}

const AT_ONCE = 4;

/**
 * @param onFetched called for each as it is there
 * @throws CliError (refused) that names every chart that cannot be had, where it was asked for, what came back, and the
 * ways out
 */
export async function fetchCharts(
  charts: readonly NeededChart[],
  store: Pick<ChartStore, 'ensure'>,
  environment: string,
  lockFile: string,
  onFetched: (chart: FetchedChart) => void = () => undefined,
  signal?: AbortSignal,
): Promise<FetchedChart[]> {
  const unlocked = charts.filter(({ digest }) => digest === undefined);
  if (unlocked.length > 0) throw notInLock(unlocked, environment, lockFile);
  const queue = new PQueue({ concurrency: AT_ONCE });
  const problems: (ChartDigestError | ChartUnavailableError)[] = [];
  const found = await Promise.all(
    charts.map((chart) =>
      queue.add(async () => {
        try {
          const fetched = { chart, ...(await store.ensure(chart, signal)) };
          onFetched(fetched);
          return [fetched];
        } catch (error) {
          if (!(error instanceof ChartDigestError || error instanceof ChartUnavailableError)) throw error;
          problems.push(error);
          return [];
        }
      }),
    ),
  );
  if (problems.length > 0) throw cannotBeHad(problems, environment);
  return found.flat();
}

function notInLock(charts: readonly NeededChart[], environment: string, lockFile: string): CliError {
  return refused(
    `${count(charts.length, 'chart')} that "${environment}" installs ${charts.length === 1 ? 'is' : 'are'} not in the lock ${lockFile}, so nobody knows which archive is meant: ` +
      `${charts.map(({ key, version }) => `${key} ${version}`).join(', ')}.`,
    `${commandLine('charts', 'lock', ...charts.map(({ key }) => key), '--env', environment)}   (where the repositories can be reached; read the difference and commit it)`,
    insteadOf(charts),
  );
}

function cannotBeHad(problems: readonly (ChartDigestError | ChartUnavailableError)[], environment: string): CliError {
  const altered = problems.some((problem) => problem instanceof ChartDigestError);
  const away = problems.some((problem) => problem instanceof ChartUnavailableError);
  return refused(
    `${count(problems.length, 'chart')} cannot be had:\n${problems
      .map(({ message }) => message)
      .sort()
      .join('\n')}`,
    ...(altered
      ? [
          'An archive that changed under its version was replaced by somebody. If you know why, charts lock writes down the new digest; if not, do not install it.',
        ]
      : []),
    ...(away
      ? [
          `${commandLine('charts', 'pull', '--env', environment)}   (tries again; HTTPS_PROXY and NO_PROXY hold)`,
          `Name a mirror in environments/${environment}.yaml: chartMirror: oci://HOST/PATH, https://HOST/PATH or a folder.`,
          `Without network: ${commandLine('charts', 'bundle', '--env', environment, '--out', 'FILE.tgz')} on a machine that has it, then charts unbundle FILE.tgz here.`,
          'Or take bundled charts for new services: chartOverrides: { SERVICE: bundled }.',
        ]
      : []),
  );
}

function insteadOf(charts: readonly NeededChart[]): string {
  const services = charts.flatMap((chart) => chart.services);
  return `Or, for services that hold no data yet, in the environment's file: chartOverrides: { ${services.map((name) => `${name}: bundled`).join(', ')} }`;
}
