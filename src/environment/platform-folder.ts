/** Where an environment's platform is described: its catalog, its charts and values, its migrations and realms. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Config } from '../config.ts';

/** The one whose catalog is src/catalog, and whose charts and values are in helm/. */
export const DEFAULT_PLATFORM = 'ananta';

type Checkout = Pick<Config, 'repoRoot'>;
type Choice = { platform: string };

/** A name is a folder below platforms/; whatever holds a slash is a path of one's own. */
export function isPlatformName(platform: string): boolean {
  return !/[/\\]/.test(platform) && !platform.startsWith('.');
}

/** Its name: that of its folder, as its description says, too. */
export function platformName({ platform }: Choice): string {
  return basename(resolve('/', platform)) || platform;
}

/** @returns the platform's own folder; undefined for the default one, which is the checkout itself */
export function platformFolder({ platform }: Choice, { repoRoot }: Checkout): string | undefined {
  if (platform === DEFAULT_PLATFORM) return undefined;
  return isPlatformName(platform) ? join(repoRoot, 'platforms', platform) : resolve(repoRoot, platform);
}

/** Its folder with values, migrations, realms, the lock of publishers' charts, and charts of its own. */
export function helmFolder(environment: Choice, config: Checkout): string {
  return join(platformFolder(environment, config) ?? config.repoRoot, 'helm');
}

/** A chart of the platform's own where it has one of this name, else the checkout's. */
export function chartFolder(environment: Choice, chart: string, config: Checkout): string {
  const own = join(helmFolder(environment, config), 'charts', chart);
  return existsSync(own) ? own : join(config.repoRoot, 'helm', 'charts', chart);
}

/** Where the values for a publisher's chart are: the platform's own, else the checkout's. @param file `<chart>.yaml` */
export function upstreamValuesFile(environment: Choice, file: string, config: Checkout): string {
  const own = join(helmFolder(environment, config), 'values', 'upstream', file);
  return existsSync(own) ? own : join(config.repoRoot, 'helm', 'values', 'upstream', file);
}
