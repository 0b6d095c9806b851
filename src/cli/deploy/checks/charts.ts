/**
 * Before a deployment starts: every publisher's chart is there and verified, and every chart renders, to what the
 * cluster can keep. What does not is refused, nothing touched.
 */
import type { Config } from '../../../config.ts';
import { type OnRendered, renderProblems } from '../../../effects/render-check.ts';
import { chartLockFile, readChartLock } from '../../../plan/charts/lock.ts';
import { placeName, wantedCharts } from '../../../plan/charts/wanted.ts';
import { fetchCharts } from '../../charts/fetch.ts';
import { chartStore } from '../../charts/open.ts';
import { refused } from '../../shared/failure.ts';
import type { Prepared } from '../preflight.ts';

/**
 * Fetches the publishers' charts that the environment needs and this machine does not have yet.
 * @param onNote called with a line for each that was fetched
 * @throws CliError (refused) that says where each was asked for, what came back and what to do; ChartLockError
 */
export async function requireCharts(
  { catalog, environment }: Pick<Prepared, 'catalog' | 'environment'>,
  config: Config,
  onNote: (text: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const lockFile = chartLockFile(environment, config);
  const needed = wantedCharts(catalog, environment, await readChartLock(lockFile), config).filter(
    ({ services }) => services.length > 0,
  );
  await fetchCharts(
    needed,
    chartStore(config),
    environment.name,
    lockFile,
    ({ chart, fetched }) => {
      if (fetched) onNote(`Chart ${chart.name} ${chart.version} fetched from ${placeName(chart.place)} and verified`);
    },
    signal,
  );
}

/**
 * Those of publishers have to be there: see requireCharts.
 * @param onRendered after each chart that had to be rendered
 * @throws CliError (refused), naming each chart and what Helm says
 */
export async function checkCharts(
  { catalog, environment, inputs: inputsOf }: Prepared,
  imageTags: Record<string, string>,
  helm: string,
  config: Config,
  onRendered?: OnRendered,
): Promise<void> {
  const problems = await renderProblems(catalog, environment.name, await inputsOf(imageTags), helm, config, onRendered);
  if (problems.length > 0) {
    throw refused(
      `${problems.length === 1 ? 'A chart cannot' : 'Charts cannot'} be deployed:\n${problems.join('\n')}`,
      'Correct the chart, or helm/values/<release>.yaml, then run the same command again.',
    );
  }
}
