/** The small platform of the checkout (platforms/mini), for tests of what deploys any platform. */
import type { Catalog } from '../../src/catalog/schema.ts';
import { readConfig } from '../../src/config.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { loadPlatform } from '../../src/environment/platform.ts';
import type { Environment } from '../../src/environment/schema.ts';

const PLATFORM = 'mini';
/** Rows that tests speak of; one that is added later comes after them, and no test has to learn about it. */
const ROWS = 10;

export function wholeMini(): Promise<Catalog> {
  return loadPlatform({ platform: PLATFORM, platformParameters: {} }, readConfig({}));
}

export async function miniCatalog(): Promise<Catalog> {
  const whole = await wholeMini();
  return { ...whole, services: whole.services.filter(({ number }) => number <= ROWS) };
}

/** An environment of the checkout, as it is with the small platform. */
export async function miniEnvironment(name = 'sandbox'): Promise<Environment> {
  return { ...(await loadEnvironment(name, readConfig({}))), platform: PLATFORM };
}
