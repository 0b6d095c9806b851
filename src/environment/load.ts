/** Reads environments/<name>.yaml with all that it extends, and refuses what does not hold. */
import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseDocument } from 'yaml';
import { loadCatalog } from '../catalog/index.ts';
import type { Catalog } from '../catalog/schema.ts';
import type { Config } from '../config.ts';
import { VAULT } from '../contract/names.ts';
import { suggestion } from '../suggest.ts';
import { checkEnvironment } from './check.ts';
import { ConfigurationError } from './errors.ts';
import { explainIssues, type Finding } from './explain.ts';
import { hasPath, isTree, mergeTrees, type Tree } from './merge.ts';
import { environmentFileSchema, type Environment, type EnvironmentFile } from './schema.ts';

export { ConfigurationError } from './errors.ts';

/** A file whose name begins so is there to be extended, it is no environment. */
const ABSTRACT = '_';

interface Layer {
  name: string;
  file: string;
  text: string;
  tree: Tree;
}

/** Names of all environments, sorted. */
export async function listEnvironments(config: Pick<Config, 'environmentsDir'>): Promise<string[]> {
  return (await listFiles(config)).filter((name) => !name.startsWith(ABSTRACT));
}

/**
 * @param catalog what the names in the file are checked against
 * @throws ConfigurationError that lists every problem as `file: field: what is wrong`
 */
export async function loadEnvironment(
  name: string,
  config: Pick<Config, 'environmentsDir'>,
  catalog: Catalog = loadCatalog(),
): Promise<Environment> {
  const known = await listEnvironments(config);
  if (!known.includes(name)) {
    throw new ConfigurationError([
      {
        file: `${name}.yaml`,
        field: '',
        message: `there is no environment "${name}"${suggestion(name, known) || '.'} Known: ${known.join(', ') || 'none'}. Each is a file in ${config.environmentsDir}`,
      },
    ]);
  }
  const layers = await readLayers(name, config);
  const merged = layers.reduceRight<Tree>((below, { tree }) => mergeTrees(withoutOtherWay(below, tree), tree), {});
  delete merged['extends'];

  const parsed = environmentFileSchema.safeParse(merged);
  if (!parsed.success) throw located(explainIssues(parsed.error, environmentFileSchema, merged), layers);
  const environment = withOwnChartForVault(withSimulation(parsed.data));
  const findings = checkEnvironment(environment, catalog);
  if (findings.length > 0) throw located(findings, layers);
  return { ...environment, name };
}

/** One of these keys says which kind of thing it is, and the others of its group belong to that kind. */
const WAYS: Record<string, readonly string[]> = {
  engine: ['embedded', 'inCluster', 'address'],
  cluster: ['embedded', 'kind', 'context'],
};

/**
 * An environment that extends one with another kind of engine or cluster replaces it: a mixture of two would be
 * neither.
 */
function withoutOtherWay(below: Tree, tree: Tree): Tree {
  const replaced = Object.entries(WAYS)
    .filter(([group, ways]) => {
      const [base, own] = [below[group], tree[group]];
      if (!isTree(base) || !isTree(own)) return false;
      const chosen = ways.find((way) => way in own);
      return chosen !== undefined && !(chosen in base);
    })
    .map(([group]) => group);
  return Object.fromEntries(Object.entries(below).filter(([group]) => !replaced.includes(group)));
}

/**
 * Texts of an environment's file and of all that it extends, by file name: what it takes to read it elsewhere. @throws
 * ConfigurationError
 */
export async function environmentFiles(
  name: string,
  config: Pick<Config, 'environmentsDir'>,
): Promise<Record<string, string>> {
  return Object.fromEntries((await readLayers(name, config)).map(({ file, text }) => [file, text]));
}

/** The environment's own file first, then what it extends, and so on. */
async function readLayers(name: string, config: Pick<Config, 'environmentsDir'>): Promise<Layer[]> {
  const layers: Layer[] = [];
  let next: string | undefined = name;
  while (next !== undefined) {
    const extending = layers.at(-1);
    if (extending && layers.some((layer) => layer.name === next)) {
      const loop = [...layers.map((layer) => layer.name), next].join(' → ');
      throw new ConfigurationError([
        { file: extending.file, field: 'extends', message: `the files extend each other in a circle: ${loop}` },
      ]);
    }
    const layer = await readLayer(next, config, extending);
    layers.push(layer);
    next = extendedBy(layer);
  }
  return layers;
}

async function readLayer(
  name: string,
  config: Pick<Config, 'environmentsDir'>,
  extending: Layer | undefined,
): Promise<Layer> {
  const file = `${name}.yaml`;
  let text: string;
  try {
    text = await readFile(join(config.environmentsDir, file), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || extending === undefined) throw error;
    const known = await listFiles(config);
    throw new ConfigurationError([
      {
        file: extending.file,
        field: 'extends',
        message: `there is no file ${file}${suggestion(name, known) || `; there are ${known.join(', ')}`}`,
      },
    ]);
  }
  const document = parseDocument(text);
  const broken = document.errors.map(({ message }) => ({
    file,
    field: '',
    message: `is not valid YAML: ${message.trimEnd()}`,
  }));
  if (broken.length > 0) throw new ConfigurationError(broken);
  const tree: unknown = document.toJS() ?? {};
  if (!isTree(tree))
    throw new ConfigurationError([
      { file, field: '', message: 'has to be a group of keys, as in environments/sandbox.yaml' },
    ]);
  return { name, file, text, tree };
}

function extendedBy({ file, tree }: Layer): string | undefined {
  const parent = tree['extends'];
  if (parent === undefined || typeof parent === 'string') return parent;
  throw new ConfigurationError([
    { file, field: 'extends', message: 'has to be the name of a file in the same folder, without .yaml' },
  ]);
}

/** Names the file in which each finding stands: the first layer that has the field, else the environment's own. */
function located(findings: Finding[], layers: Layer[]): ConfigurationError {
  return new ConfigurationError(
    findings.map(({ path, message }) => ({
      file: (layers.find(({ tree }) => hasPath(tree, path)) ?? layers[0])?.file ?? '',
      field: path.map(String).join('.'),
      message,
    })),
  );
}

/** Pods of an embedded cluster are always simulated; a file need not say how. */
function withSimulation(environment: EnvironmentFile): EnvironmentFile {
  if (!('embedded' in environment.cluster) || environment.simulation !== undefined) return environment;
  return { ...environment, simulation: environmentFileSchema.shape.simulation.unwrap().parse({}) };
}

/** Of a Vault that others run, only identities are installed: no publisher's chart does that. */
function withOwnChartForVault(environment: EnvironmentFile): EnvironmentFile {
  return environment.vault.external === undefined
    ? environment
    : { ...environment, chartOverrides: { ...environment.chartOverrides, [VAULT.service]: 'bundled' } };
}

async function listFiles(config: Pick<Config, 'environmentsDir'>): Promise<string[]> {
  try {
    return (await readdir(config.environmentsDir))
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => basename(file, '.yaml'))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
