/** The small platform of the checkout (platforms/mini), for tests of what deploys any platform. */
import type { Catalog } from '../../src/catalog/schema.ts';
import { readConfig } from '../../src/config.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { loadPlatform } from '../../src/environment/platform.ts';
import type { Environment } from '../../src/environment/schema.ts';

const PLATFORM = 'mini';

export function miniCatalog(): Promise<Catalog> {
  return loadPlatform({ platform: PLATFORM, platformParameters: {} }, readConfig({}));
}

/** An environment of the checkout, as it is with the small platform. */
export async function miniEnvironment(name = 'sandbox'): Promise<Environment> {
  return { ...(await loadEnvironment(name, readConfig({}))), platform: PLATFORM };
}
