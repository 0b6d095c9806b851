/**
 * The cache of publishers' charts on this machine: what is in it under a chart's name has the digest that the lock
 * names.
 */
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Config } from '../../config.ts';
import { archivePath, placeName, type WantedChart } from '../../plan/charts/wanted.ts';
import { fileDigest } from './digest.ts';
import { ChartDigestError } from './errors.ts';
import { pull, type PullOptions } from './pull.ts';

/** `damaged`: there is a file, but it has another digest. `unlocked`: the lock does not say what it has to be. */
export type ChartState = 'ready' | 'missing' | 'damaged' | 'unlocked';

export interface ChartStore {
  /** Reads and hashes what is there; asks nobody. */
  look(chart: WantedChart): Promise<ChartState>;
  /**
   * Fetches the chart unless it is there; safe beside others that do the same.
   * @returns path of the verified archive
   * @throws ChartDigestError, ChartUnavailableError, or the signal's reason
   */
  ensure(chart: WantedChart, signal?: AbortSignal): Promise<{ path: string; fetched: boolean }>;
  /**
   * Puts an archive from elsewhere into the cache. The file is moved.
   * @throws ChartDigestError
   */
  keep(chart: WantedChart, file: string, from: string): Promise<string>;
  /**
   * What its place serves now, whatever the lock says.
   * @returns its digest
   * @throws ChartUnavailableError; ChartDigestError when index and archive differ
   */
  lock(chart: WantedChart, signal?: AbortSignal): Promise<string>;
}

export function createChartStore(config: Pick<Config, 'cacheDir'>, options: PullOptions): ChartStore {
  const look = async (chart: WantedChart): Promise<ChartState> => {
    if (chart.digest === undefined) return 'unlocked';
    const found = await fileDigest(archivePath(config, chart)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    return found === undefined ? 'missing' : found === chart.digest ? 'ready' : 'damaged';
  };

  const keep = async (chart: WantedChart, file: string, from: string): Promise<string> => {
    const found = await fileDigest(file);
    if (chart.digest === undefined)
      throw new ChartDigestError(
        `${title(chart)} is not in the lock, so nobody knows which archive is meant; ${from} has ${found}`,
      );
    if (found !== chart.digest)
      throw new ChartDigestError(
        `${title(chart)} from ${from} is not the archive that the lock names: ${chart.digest} is locked, ${found} was found`,
      );
    const path = archivePath(config, chart);
    await mkdir(dirname(path), { recursive: true });
    await chmod(file, 0o644);
    await rename(file, path);
    return path;
  };

  /** A folder beside the cache's files, so that what is right can be moved in one step. */
  const inWorkFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
    const folder = join(config.cacheDir, 'charts', `.work-${randomUUID()}`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  return {
    look,
    keep,
    ensure: async (chart, signal) => {
      const state = await look(chart);
      if (state === 'ready') return { path: archivePath(config, chart), fetched: false };
      if (state === 'unlocked')
        throw new ChartDigestError(`${title(chart)} is not in the lock, so nobody knows which archive is meant`);
      return inWorkFolder(async (folder) => {
        const { file } = await pull(chart, chart.place, folder, options, signal);
        return { path: await keep(chart, file, placeName(chart.place)), fetched: true };
      });
    },
    lock: (chart, signal) =>
      inWorkFolder(async (folder) => {
        const { file, indexed } = await pull(chart, chart.place, folder, options, signal);
        const digest = await fileDigest(file);
        if (indexed !== undefined && indexed.digest !== digest) {
          throw new ChartDigestError(
            `${title(chart)} from ${placeName(chart.place)} is not the archive that the repository's own index names: ${indexed.digest} is indexed, ${basename(file)} has ${digest}`,
          );
        }
        return digest;
      }),
  };
}

function title({ name, version }: WantedChart): string {
  return `Chart ${name} ${version}`;
}
