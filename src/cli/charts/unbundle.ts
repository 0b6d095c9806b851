/** `ananta charts unbundle`: all charts of a bundle or none. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import * as tar from 'tar';
import { fileDigest } from '../../clients/charts/index.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import type { ChartsOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine, count } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import { type Bundle, bundleSchema, CHARTS_FOLDER, MANIFEST_FILE } from './manifest.ts';
import { openCharts } from './open.ts';

export async function unbundleCharts(
  context: CliContext,
  file: string,
  { env, json }: ChartsOptions,
): Promise<ExitCode> {
  const { charts, store, lockFile } = await openCharts(context, env, [], true);
  const folder = join(context.config.cacheDir, 'charts', `.work-${randomUUID()}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const bundle = await unpacked(file, folder);
    const parts = await Promise.all(
      bundle.charts.map(async (entry) => {
        const path = join(folder, CHARTS_FOLDER, entry.file);
        const digest = await fileDigest(path).catch(() => undefined);
        const wanted = charts.find(({ key, version }) => key === entry.key && version === entry.version);
        return { entry, path, wanted, problem: problemOf(entry, digest, wanted?.digest) };
      }),
    );
    const problems = parts.flatMap(({ problem }) => problem ?? []);
    if (problems.length > 0) {
      throw refused(
        `${file} does not fit the lock ${lockFile}, and nothing of it was kept:\n${problems.sort().join('\n')}`,
        `Make it anew from the same checkout: ${commandLine('charts', 'bundle', '--env', env, '--out', 'FILE.tgz')}`,
      );
    }
    for (const { path, wanted } of parts) if (wanted !== undefined) await store.keep(wanted, path, file);
    const kept = parts.map(({ entry: { key, version, digest } }) => ({ chart: key, version, digest }));
    const { stdout, style } = context.terminal;
    if (json) printLines(stdout, [JSON.stringify({ environment: env, charts: kept, images: bundle.images })]);
    else {
      printLines(stdout, [
        ...kept.map(({ chart, version, digest }) => `${style('good', '✔')} ${chart} ${version}  ${digest}`),
        `${count(kept.length, 'chart')} verified against ${lockFile}; they are installed without asking anybody. The bundle lists ${count(bundle.images.length, 'image')} that the cluster has to reach.`,
      ]);
    }
    return EXIT_CODES.done;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function unpacked(file: string, folder: string): Promise<Bundle> {
  try {
    await tar.extract({
      file,
      cwd: folder,
      strict: true,
      filter: (_path, entry) => !('type' in entry) || entry.type === 'File' || entry.type === 'Directory',
    });
    return bundleSchema.parse(JSON.parse(await readFile(join(folder, MANIFEST_FILE), 'utf8')));
  } catch (error) {
    throw refused(
      `${file} is no bundle of charts: ${error instanceof Error ? error.message : String(error)}`,
      `A bundle is made with: ${commandLine('charts', 'bundle', '--out', 'FILE.tgz')}`,
    );
  }
}

function problemOf(
  { key, version, digest: stated }: Bundle['charts'][number],
  found: string | undefined,
  locked: string | undefined,
): string | undefined {
  if (found === undefined) return `${key} ${version}: the bundle names it, but does not hold it`;
  if (locked === undefined) return `${key} ${version}: it is not in the lock; the bundle has ${found}`;
  if (found !== locked)
    return `${key} ${version}: ${locked} is locked, the bundle has ${found}${found === stated ? '' : ` (and says ${stated})`}`;
  return undefined;
}
