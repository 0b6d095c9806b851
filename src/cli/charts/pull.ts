/** `ananta charts pull`. */
import { EXIT_CODES } from '../../contract/failures.ts';
import { placeName } from '../../plan/charts/wanted.ts';
import type { ChartsOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { count } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import { fetchCharts } from './fetch.ts';
import { openCharts } from './open.ts';

export async function pullCharts(
  context: CliContext,
  names: readonly string[],
  { env, json }: ChartsOptions,
): Promise<ExitCode> {
  const { charts, store, lockFile } = await openCharts(context, env, names);
  const { stdout, style } = context.terminal;
  const fetched = await fetchCharts(charts, store, env, lockFile, ({ chart, fetched: isNew }) => {
    if (!json)
      printLines(stdout, [
        `${style('good', '✔')} ${chart.key} ${chart.version}  ${isNew ? `fetched from ${placeName(chart.place)}, ` : 'was there, '}${chart.digest ?? ''}`,
      ]);
  });
  if (json) {
    printLines(stdout, [
      JSON.stringify({
        environment: env,
        charts: fetched.map(({ chart, path, fetched: isNew }) => ({
          chart: chart.key,
          version: chart.version,
          digest: chart.digest,
          from: placeName(chart.place),
          path,
          fetched: isNew,
        })),
      }),
    ]);
  } else
    printLines(stdout, [
      charts.length === 0
        ? `${env} installs no publisher's chart.`
        : `${count(fetched.length, 'chart')} verified against ${lockFile}.`,
    ]);
  return EXIT_CODES.done;
}
