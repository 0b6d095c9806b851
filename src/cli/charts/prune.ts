/** `ananta charts prune`: archives that no lock of this checkout names any more. */
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Config } from '../../config.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { listEnvironments, loadEnvironment } from '../../environment/load.ts';
import { DEFAULT_PLATFORM } from '../../environment/platform-folder.ts';
import { loadPlatform } from '../../environment/platform.ts';
import { chartLockFile, readChartLock } from '../../plan/charts/lock.ts';
import { archivePath } from '../../plan/charts/wanted.ts';
import type { PruneOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { count } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';

const DAY_MILLISECONDS = 86_400_000;
/** As the store names them, and folders of fetches that were killed. Anything else is somebody else's. */
const ARCHIVE = /^.+-.+-([0-9a-f]{12}|unlocked)\.tgz$/;
const WORK = /^\.work-/;

export async function pruneCharts(context: CliContext, { days, json }: PruneOptions): Promise<ExitCode> {
  const { config } = context;
  const folder = join(config.cacheDir, 'charts');
  const named = await namedByLocks(config);
  const before = Date.now() - days * DAY_MILLISECONDS;
  const entries = await readdir(folder).catch(() => []);
  const removed: string[] = [];
  for (const entry of entries.filter((name) => (ARCHIVE.test(name) && !named.has(name)) || WORK.test(name))) {
    const path = join(folder, entry);
    // A fetch that is going on has a folder, too.
    const { mtimeMs } = await stat(path);
    if (mtimeMs > (WORK.test(entry) ? Math.min(before, Date.now() - DAY_MILLISECONDS) : before)) continue;
    await rm(path, { recursive: true, force: true });
    removed.push(entry);
  }
  const kept = entries.filter((name) => ARCHIVE.test(name) && !removed.includes(name));
  const { stdout } = context.terminal;
  if (json) printLines(stdout, [JSON.stringify({ folder, removed, kept })]);
  else
    printLines(stdout, [
      ...removed.map((name) => `removed ${name}`),
      `${count(removed.length, 'archive')} removed from ${folder}, ${kept.length} kept.`,
    ]);
  return EXIT_CODES.done;
}

/**
 * By all locks that any environment of this checkout reads. @throws ConfigurationError, ChartLockError: an unread lock
 * could name anything
 */
async function namedByLocks(config: Config): Promise<Set<string>> {
  const environments = await Promise.all((await listEnvironments(config)).map((name) => loadEnvironment(name, config)));
  const defaults = { platform: DEFAULT_PLATFORM, platformParameters: {} };
  const archives = await Promise.all(
    [...environments, defaults].map(async (environment) => {
      const { upstreamCharts } = await loadPlatform(environment, config);
      const { charts } = await readChartLock(chartLockFile(environment, config));
      return Object.entries(charts).map(([key, { version, digest }]) =>
        basename(archivePath(config, { name: upstreamCharts[key]?.name ?? key, version, digest })),
      );
    }),
  );
  return new Set(archives.flat());
}
