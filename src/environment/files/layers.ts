/** The files of an environment: its own, and all that it extends. */
import { lstat, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Config } from '../../config.ts';
import { suggestion } from '../../suggest.ts';
import { ConfigurationError } from '../errors.ts';
import type { Tree } from './merge.ts';
import { nameProblem } from '../name.ts';
import { readYamlFile } from './yaml-file.ts';

/** A file whose name begins so is there to be extended, it is no environment. */
const ABSTRACT = '_';
/** At the top of a file: a place for anchors. */
const EXTENSION = 'x-';
const SHOWN_NAME = 60;

type Folder = Pick<Config, 'environmentsDir'>;

export interface Layer {
  name: string;
  file: string;
  text: string;
  tree: Tree;
}

/** Names of all environments, sorted; also of those whose files do not hold. */
export async function listEnvironments(config: Folder): Promise<string[]> {
  return (await listFiles(config)).filter((name) => !name.startsWith(ABSTRACT));
}

/**
 * The environment's own file first, then what it extends, and so on.
 *
 * @throws ConfigurationError
 */
export async function readLayers(name: string, config: Folder): Promise<Layer[]> {
  await checkName(name, config);
  const layers: Layer[] = [];
  let next: string | undefined = name;
  while (next !== undefined) {
    const extending = layers.at(-1);
    if (extending && layers.some((layer) => layer.name === next)) {
      const loop = [...layers.map((layer) => layer.name), next].join(' → ');
      throw problem(extending.file, 'extends', `the files extend each other in a circle: ${loop}`);
    }
    const layer = await readLayer(next, config, extending);
    layers.push(layer);
    next = extendedBy(layer);
  }
  return layers;
}

function problem(file: string, field: string, message: string): ConfigurationError {
  return new ConfigurationError([{ file, field, message }]);
}

async function checkName(name: string, config: Folder): Promise<void> {
  const known = await listEnvironments(config);
  if (!known.includes(name)) throw problem(`${shown(name)}.yaml`, '', await describeUnknown(name, known, config));
  const wrong = nameProblem(name);
  if (wrong !== undefined) throw problem(`${shown(name)}.yaml`, '', wrong);
}

async function describeUnknown(name: string, known: readonly string[], config: Folder): Promise<string> {
  if (/^[\w-]+$/.test(name) && (await exists(join(config.environmentsDir, `${name}.yml`)))) {
    return `there is ${name}.yml: rename it to ${name}.yaml`;
  }
  const near = name.length > SHOWN_NAME ? '' : suggestion(name, known);
  const others = known.join(', ') || 'none';
  return `there is no environment "${shown(name)}"${near || '.'} Known: ${others}. Each is a file in ${config.environmentsDir}`;
}

/** Names come from the command line and from folders: one short line of them. */
function shown(name: string): string {
  const line = name.replace(/\p{Cc}/gu, '?');
  return line.length > SHOWN_NAME ? `${line.slice(0, SHOWN_NAME)}…` : line;
}

async function readLayer(name: string, config: Folder, extending: Layer | undefined): Promise<Layer> {
  const file = `${name}.yaml`;
  const path = join(config.environmentsDir, file);
  const read = await readYamlFile(path, shown(name) === name ? file : `${shown(name)}.yaml`);
  if (read !== undefined) return { name, file, ...read, tree: withoutExtensions(read.tree) };
  if (await exists(path)) throw problem(file, '', 'is a link to a file that does not exist');
  if (extending === undefined) throw problem(file, '', 'was removed while it was to be read');
  const known = await listFiles(config);
  const near = suggestion(name, known) || `; there are ${known.join(', ')}`;
  throw problem(extending.file, 'extends', `there is no file ${file}${near}`);
}

function withoutExtensions(tree: Tree): Tree {
  return Object.fromEntries(Object.entries(tree).filter(([key]) => !key.startsWith(EXTENSION)));
}

function extendedBy({ file, tree }: Layer): string | undefined {
  const parent = tree['extends'];
  if (parent === undefined) return parent;
  if (typeof parent === 'string' && parent !== '' && parent.length <= 200 && !/[/\\\p{Cc}]/u.test(parent))
    return parent;
  throw problem(file, 'extends', 'has to be the name of a file in the same folder, without .yaml');
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Hidden files are those of editors. */
async function listFiles({ environmentsDir }: Folder): Promise<string[]> {
  try {
    return (await readdir(environmentsDir))
      .filter((file) => file.endsWith('.yaml') && !file.startsWith('.'))
      .map((file) => basename(file, '.yaml'))
      .sort();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw problem(environmentsDir, '', `the folder of environments cannot be read: ${message}`);
  }
}
