/** `ananta charts bundle`. */
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import PQueue from 'p-queue';
import * as tar from 'tar';
import { template } from '../../clients/helm/template.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { allReleaseInputs } from '../../plan/inputs/release-inputs.ts';
import { imagesOfManifest } from '../../plan/images/of-manifest.ts';
import { findRelease } from '../../plan/releases.ts';
import { placeName } from '../../plan/charts/wanted.ts';
import type { BundleOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine, count } from '../shared/format.ts';
import { acquireHelm } from '../shared/components/helm-binary.ts';
import { printLines } from '../shared/terminal.ts';
import { fetchCharts } from './fetch.ts';
import { type Bundle, CHARTS_FOLDER, IMAGES_FILE, MANIFEST_FILE } from './manifest.ts';
import { type ChartWork, openCharts } from './open.ts';

export async function bundleCharts(context: CliContext, { env, out, json }: BundleOptions): Promise<ExitCode> {
  const work = await openCharts(context, env, []);
  const target = resolve(out);
  const folder = await mkdtemp(join(dirname(target), '.ananta-bundle-')).catch((error: unknown) => {
    throw refused(
      `${target} cannot be written: ${(error as Error).message}`,
      'Name a file in a folder that exists, as in --out /tmp/charts.tgz',
    );
  });
  try {
    const fetched = await fetchCharts(work.charts, work.store, env, work.lockFile);
    const images = await allImages(context, work, folder);
    const files = fetched.map(({ chart, path }) => ({ chart, path, file: `${chart.name}-${chart.version}.tgz` }));
    const bundle: Bundle = {
      format: 'ananta-charts/1',
      environment: env,
      images,
      charts: files.map(({ chart: { key, name, version, digest, place }, file }) => ({
        key,
        name,
        version,
        digest: digest ?? '',
        source: placeName(place),
        file,
      })),
    };
    const content = join(folder, 'content');
    await mkdir(join(content, CHARTS_FOLDER), { recursive: true });
    await writeFile(join(content, MANIFEST_FILE), `${JSON.stringify(bundle, null, 2)}\n`);
    await writeFile(join(content, IMAGES_FILE), images.map((image) => `${image}\n`).join(''));
    await Promise.all(files.map(({ path, file }) => copyFile(path, join(content, CHARTS_FOLDER, file))));
    // Whoever packs the same gets the same: no times, no owners.
    await tar.create(
      { file: join(folder, 'bundle.tgz'), gzip: true, cwd: content, portable: true, mtime: new Date(0) },
      [MANIFEST_FILE, IMAGES_FILE, ...files.map(({ file }) => `${CHARTS_FOLDER}/${file}`).sort()],
    );
    await rename(join(folder, 'bundle.tgz'), target);
    const { stdout } = context.terminal;
    if (json) printLines(stdout, [JSON.stringify({ file: target, ...bundle })]);
    else {
      printLines(stdout, [
        `Written: ${target}, ${count(bundle.charts.length, 'chart')}, and a list of ${count(images.length, 'image')} (${IMAGES_FILE} in it).`,
        `Next, on the other machine: ${commandLine('charts', 'unbundle', out, '--env', env)}`,
      ]);
    }
    return EXIT_CODES.done;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every release rendered as by a deployment: what stands in the objects is what runs. */
async function allImages(
  { config }: CliContext,
  { catalog, environment }: ChartWork,
  folder: string,
): Promise<string[]> {
  const [helm, inputs] = await Promise.all([acquireHelm(config), allReleaseInputs(catalog, environment, {}, config)]);
  const queue = new PQueue({ concurrency: availableParallelism() });
  const found = await Promise.all(
    [...inputs].map(([name, { chartPath, values }]) =>
      queue.add(async () => {
        const { namespace } = findRelease(catalog, name);
        const rendered = await template(helm, join(folder, 'helm'), config.childEnv, {
          release: name,
          namespace,
          chartPath,
          values,
        });
        if ('error' in rendered)
          throw refused(
            `${name} (chart ${chartPath}) does not render: ${rendered.error}`,
            'Correct the chart, or its values below helm/values, then run the same command again.',
          );
        return imagesOfManifest(rendered.text);
      }),
    ),
  );
  return [...new Set(found.flat())].sort();
}
