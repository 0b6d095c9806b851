/** The small platform of the checkout (platforms/mini), for tests of what deploys any platform. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Catalog, CatalogInput, ServiceInput } from '../../src/catalog/schema.ts';
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

/** The row of a description. @throws where it has none of that name */
export function rowOf({ services }: CatalogInput, name: string): ServiceInput {
  const row = services.find((service) => service.name === name);
  if (row === undefined) throw new Error(`${PLATFORM} has no service ${name}`);
  return row;
}

/**
 * A platform that differs from the small one in what `change` does to its description, values and all.
 * @returns its folder, below `parent`: what an environment names as its platform
 */
export async function miniWith(change: (description: CatalogInput) => void, parent: string): Promise<string> {
  const folder = join(parent, PLATFORM);
  await cp(join(readConfig({}).repoRoot, 'platforms', PLATFORM), folder, { recursive: true });
  const file = join(folder, 'platform.yaml');
  const description = parse(await readFile(file, 'utf8')) as CatalogInput;
  change(description);
  // JSON is YAML.
  await writeFile(file, JSON.stringify(description));
  return folder;
}
