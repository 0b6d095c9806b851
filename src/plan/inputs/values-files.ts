/** What engineers write below helm/: values per release, migrations, the realm. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from '../../catalog/schema.ts';
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { helmValues } from './kubernetes-yaml.ts';
import type { Release } from '../releases.ts';

/**
 * @returns an empty object when there is no such file
 * @throws Error when it is not YAML
 */
export async function readValues(path: string): Promise<Tree> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    const values = helmValues(text);
    return isTree(values) ? values : {};
  } catch (error) {
    throw new Error(`${path} is not valid YAML: ${(error as Error).message}`, { cause: error });
  }
}

/** Values that carry files into a Job: its migrations below `sql`, its realm below `realm`. */
export async function filesOf(catalog: Catalog, release: Release, helmFolder: string): Promise<Tree> {
  const migration = catalog.migrations.find(({ service }) => service === release.name);
  if (migration) return { files: { sql: await readFolder(join(helmFolder, migration.location), '.sql') } };
  if (catalog.realm?.job !== release.name) return {};
  return {
    files: { realm: { [`${catalog.realm.name}.json`]: await readFile(join(helmFolder, catalog.realm.file), 'utf8') } },
  };
}

async function readFolder(folder: string, extension: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(extension) && !name.startsWith('.')).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
  );
}
