/**
 * Reads the description of an environment's platform: platform.yaml or platform.ts in its folder, or the Ananta
 * Platform's.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, isAbsolute, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AnantaError } from '../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../contract/failures.ts';
import { parseDocument } from 'yaml';
import { loadCatalog } from '../catalog/index.ts';
import type { Catalog } from '../catalog/schema.ts';
import { validateCatalog } from '../catalog/validate.ts';
import type { Config } from '../config.ts';
import { suggestion } from '../suggest.ts';
import { DEFAULT_PLATFORM, isPlatformName, platformFolder } from './platform-folder.ts';
import type { EnvironmentFile } from './schema.ts';

/** The description cannot be read; the message names the file. */
export class PlatformError extends AnantaError {
  override name = 'PlatformError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
}

type Checkout = Pick<Config, 'repoRoot'>;
type Choice = Pick<EnvironmentFile, 'platform' | 'platformParameters'>;

const DATA = 'platform.yaml';
const MODULE = 'platform.ts';
/** By path: a command asks for its platform several times, and parsing costs more than all the rest. */
const parsed = new Map<string, { text: string; data: unknown }>();

/**
 * The catalog of the platform that an environment deploys.
 * @throws PlatformError where there is no such platform, CatalogError where its description contradicts itself
 */
export async function loadPlatform(environment: Choice, config: Checkout): Promise<Catalog> {
  const folder = platformFolder(environment, config);
  const parameters = environment.platformParameters;
  if (folder === undefined) {
    if (Object.keys(parameters).length > 0)
      throw new PlatformError(`the platform "${DEFAULT_PLATFORM}" takes no parameters`);
    return loadCatalog();
  }
  const files = await readdir(folder).catch((): string[] => []);
  const file = [DATA, MODULE].find((name) => files.includes(name));
  if (file === undefined) throw await unknownPlatform(environment, folder, config);
  const path = join(folder, file);
  const catalog = validateCatalog(
    file === DATA ? await readData(path, parameters) : await runModule(path, parameters),
    () => shown(path, config),
  );
  if (catalog.name !== basename(folder)) {
    throw new PlatformError(
      `${shown(path, config)} calls itself "${catalog.name}", and lies in the folder "${basename(folder)}": both have to be the platform's name`,
    );
  }
  return catalog;
}

/** Names that an environment can give: the default one, and the folders below platforms/. */
export async function listPlatforms({ repoRoot }: Checkout): Promise<string[]> {
  const entries = await readdir(join(repoRoot, 'platforms'), { withFileTypes: true }).catch(() => []);
  return [DEFAULT_PLATFORM, ...entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)].sort();
}

async function unknownPlatform({ platform }: Choice, folder: string, config: Checkout): Promise<PlatformError> {
  if (!isPlatformName(platform)) return new PlatformError(`there is neither ${DATA} nor ${MODULE} in ${folder}`);
  const known = await listPlatforms(config);
  return new PlatformError(
    `there is no platform "${platform}"${suggestion(platform, known) || '.'} Known: ${known.join(', ')}. A folder of one's own is named by its path, as in ./shop`,
  );
}

async function readData(path: string, parameters: Choice['platformParameters']): Promise<unknown> {
  const [parameter] = Object.keys(parameters);
  if (parameter !== undefined) throw new PlatformError(`${path} is plain data, and takes no parameter "${parameter}"`);
  const text = await readFile(path, 'utf8');
  const known = parsed.get(path);
  if (known?.text === text) return known.data;
  const document = parseDocument(text, { merge: true });
  const [error] = document.errors;
  if (error !== undefined) throw new PlatformError(`${path} is not valid YAML: ${error.message.trimEnd()}`);
  const data: unknown = document.toJS();
  parsed.set(path, { text, data });
  return data;
}

/** Its default export is the description, or a function of the environment's parameters that returns it. */
async function runModule(path: string, parameters: Choice['platformParameters']): Promise<unknown> {
  try {
    const { default: description } = (await import(pathToFileURL(path).href)) as { default?: unknown };
    if (description === undefined) throw new Error('it has no default export');
    return typeof description === 'function'
      ? await (description as (given: typeof parameters) => unknown)(parameters)
      : description;
  } catch (error) {
    throw new PlatformError(`${path} cannot be used: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function shown(path: string, { repoRoot }: Checkout): string {
  const below = relative(repoRoot, path);
  return below.startsWith('..') || isAbsolute(below) ? path : below;
}
