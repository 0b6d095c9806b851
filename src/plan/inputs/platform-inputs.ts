import type { Catalog } from '../../catalog/schema.ts';
import type { Config } from '../../config.ts';
import type { Environment } from '../../environment/schema.ts';
import { allReleaseInputs, type ReleaseInputs } from './release-inputs.ts';

/** The inputs of all releases, by name. @param imageTags tag per release, from the command line */
export type PlatformInputs = (
  imageTags: Readonly<Record<string, string>>,
) => Promise<ReadonlyMap<string, ReleaseInputs>>;

/**
 * Read from the checkout when somebody first asks, and then the same for the whole of a command: its checks, its plan
 * and what it compares the workers with. A worker lives longer than an edit, and reads anew for each operation.
 */
export function platformInputs(
  catalog: Catalog,
  environment: Environment,
  config: Pick<Config, 'repoRoot' | 'cacheDir'>,
): PlatformInputs {
  const known = new Map<string, Promise<ReadonlyMap<string, ReleaseInputs>>>();
  return (imageTags) => {
    const key = JSON.stringify(Object.entries(imageTags).sort(([a], [b]) => (a < b ? -1 : 1)));
    const found = known.get(key) ?? allReleaseInputs(catalog, environment, imageTags, config);
    known.set(key, found);
    return found;
  };
}

export function digestsOf(inputs: ReadonlyMap<string, Pick<ReleaseInputs, 'digest'>>): Map<string, string> {
  return new Map([...inputs].map(([name, { digest }]) => [name, digest]));
}
