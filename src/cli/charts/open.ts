/** What every `ananta charts` command starts with: the environment, its lock, the charts it wants, and the cache. */
import type { Catalog } from '../../catalog/schema.ts';
import { type ChartStore, createChartStore } from '../../clients/charts/index.ts';
import type { Config } from '../../config.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import type { Environment } from '../../environment/schema.ts';
import { type ChartLock, chartLockFile, readChartLock } from '../../plan/charts/lock.ts';
import { type NeededChart, wantedCharts } from '../../plan/charts/wanted.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { acquireHelm } from '../shared/components/helm-binary.ts';
import { suggestion } from '../../suggest.ts';

export interface ChartWork {
  environment: Environment;
  catalog: Catalog;
  lockFile: string;
  lock: ChartLock;
  /** Those that the command is about. */
  charts: NeededChart[];
  store: ChartStore;
}

/**
 * @param names keys of charts; none: those that the environment needs, or with `all` every chart
 * @throws ConfigurationError, ChartLockError, CliError (refused) for a chart that does not exist
 */
export async function openCharts(
  context: CliContext,
  environmentName: string,
  names: readonly string[],
  all = false,
): Promise<ChartWork> {
  const { config } = context;
  const environment = await loadEnvironment(environmentName, config);
  const catalog = await loadPlatform(environment, config);
  const lockFile = chartLockFile(environment, config);
  const lock = await readChartLock(lockFile);
  const known = wantedCharts(catalog, environment, lock, config);
  const unknown = names.find((name) => !known.some(({ key }) => key === name));
  if (unknown !== undefined)
    throw refused(
      `There is no publisher's chart "${unknown}"${
        suggestion(
          unknown,
          known.map(({ key }) => key),
        ) || '.'
      }`,
      `Known: ${known.map(({ key }) => key).join(', ')}`,
    );
  const charts = known.filter(({ key, services }) =>
    names.length > 0 ? names.includes(key) : all || services.length > 0,
  );
  return { environment, catalog, lockFile, lock, charts, store: chartStore(config) };
}

/** Helm is looked for, and installed, only when something has to be fetched. */
export function chartStore(config: Config): ChartStore {
  return createChartStore(config, { helm: () => acquireHelm(config), env: config.childEnv });
}
