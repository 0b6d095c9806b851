/**
 * Before a deployment starts: every publisher's chart is there and verified, and every chart renders, to what the
 * cluster can keep. What does not is refused, nothing touched.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import PQueue from 'p-queue';
import { recordSizeProblem } from '../../../clients/helm/record-size.ts';
import { template } from '../../../clients/helm/template.ts';
import type { Config } from '../../../config.ts';
import { stateDir } from '../../../config.ts';
import { manifestObjects } from '../../../plan/diff/manifest.ts';
import { objectSizeProblem } from '../../../plan/objects/size.ts';
import { chartLockFile, readChartLock } from '../../../plan/charts/lock.ts';
import { findRelease } from '../../../plan/releases.ts';
import { placeName, wantedCharts } from '../../../plan/charts/wanted.ts';
import { fetchCharts } from '../../charts/fetch.ts';
import { chartStore } from '../../charts/open.ts';
import { refused } from '../../shared/failure.ts';
import type { Prepared } from '../preflight.ts';

/** What rendered once renders again: digests of chart and values that need not be tried a second time. */
const KEPT = 2000;

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
 * @throws CliError (refused), naming each chart and what Helm says
 */
export async function checkCharts(
  { catalog, environment, inputs: inputsOf }: Prepared,
  imageTags: Record<string, string>,
  helm: string,
  config: Config,
): Promise<void> {
  const inputs = [...(await inputsOf(imageTags))];
  const folder = join(config.stateRoot, 'cache', 'rendered');
  await mkdir(folder, { recursive: true });
  const known = new Set(await readdir(folder));
  if (known.size > KEPT) await rm(folder, { recursive: true }).then(() => mkdir(folder));
  const problems: string[] = [];
  const queue = new PQueue({ concurrency: availableParallelism() });
  await queue.addAll(
    inputs
      .filter(([, { digest }]) => !known.has(digest))
      .map(([name, { chartPath, values, digest }]) => async () => {
        const { namespace } = findRelease(catalog, name);
        const rendered = await template(helm, join(stateDir(config, environment.name), 'helm'), config.childEnv, {
          release: name,
          namespace,
          chartPath,
          values,
        });
        const found = 'error' in rendered ? [rendered.error] : await tooLarge({ chartPath, values }, rendered.text);
        if (found.length === 0) await writeFile(join(folder, digest), '');
        else problems.push(...found.map((problem) => `${name} (chart ${chartPath}): ${problem}`));
      }),
  );
  if (problems.length > 0) {
    throw refused(
      `${problems.length === 1 ? 'A chart cannot' : 'Charts cannot'} be deployed:\n${problems.sort().join('\n')}`,
      'Correct the chart, or helm/values/<release>.yaml, then run the same command again.',
    );
  }
}

/** An object that may be too large is in no text that is shorter. */
const LOOKED_AT_CHARACTERS = 512 * 1024;

/** @returns what the cluster could not keep, in words */
async function tooLarge(release: { chartPath: string; values: string }, manifest: string): Promise<string[]> {
  const record = await recordSizeProblem({ ...release, manifest });
  const objects = manifest.length < LOOKED_AT_CHARACTERS ? [] : manifestObjects(manifest);
  return [
    ...objects.flatMap((one) => {
      const problem = objectSizeProblem(one);
      return problem === undefined ? [] : [`${one.kind} ${one.name} ${problem}`];
    }),
    ...(record === undefined ? [] : [record]),
  ];
}
