/** Reads environments/<name>.yaml with all that it extends, and refuses what does not hold. */
import type { Catalog } from '../catalog/schema.ts';
import type { Config } from '../config.ts';
import { VAULT } from '../contract/names.ts';
import { checkEnvironment } from './check.ts';
import { ConfigurationError } from './errors.ts';
import { explainIssues, type Finding } from './explain.ts';
import { type Layer, readLayers } from './files/layers.ts';
import { hasPath, mergeTrees, type Tree } from './files/merge.ts';
import { carriedFile, carriedText } from './outputs/carried.ts';
import { outputsOf, withOutputs } from './outputs/read.ts';
import { loadPlatform, PlatformError } from './platform.ts';
import { withCurrentNames } from './files/renamed.ts';
import { environmentFileSchema, type Environment, type EnvironmentFile } from './schema.ts';
import { severalWays, withoutOtherWay } from './files/alternatives.ts';

export { ConfigurationError } from './errors.ts';
export { listEnvironments } from './files/layers.ts';

/** Most findings that one message lists. */
const SHOWN_FINDINGS = 40;
const SHOWN_KEY = 80;

/**
 * @param catalog what the names in the file are checked against; read where it is not given
 * @throws ConfigurationError that lists every problem as `file: field: what is wrong`, CatalogError of its platform
 */
export async function loadEnvironment(
  name: string,
  config: Pick<Config, 'environmentsDir' | 'repoRoot'>,
  catalog?: Catalog,
): Promise<Environment> {
  const layers = (await readLayers(name, config)).map((layer) => ({ ...layer, tree: withCurrentNames(layer.tree) }));
  let merged = layers.reduceRight<Tree>((below, { tree }) => mergeTrees(withoutOtherWay(below, tree), tree), {});
  delete merged['extends'];

  const outputs = await withOutputs(name, merged, config);
  if (outputs.findings.length > 0) throw located(outputs.findings, layers);
  merged = outputs.tree;
  const mixed = severalWays(merged);
  const parsed = environmentFileSchema.safeParse(merged);
  if (!parsed.success || mixed.length > 0) {
    const unfit = parsed.success ? [] : explainIssues(parsed.error, environmentFileSchema, merged);
    const others = unfit.filter(({ path }) => !mixed.some((one) => one.path.every((part, at) => path[at] === part)));
    throw located([...mixed, ...others], layers);
  }
  const environment = withOwnChartForVault(withSimulation(parsed.data));
  const platform =
    catalog ??
    (await loadPlatform(environment, config).catch((error: unknown) => {
      throw error instanceof PlatformError ? located([{ path: ['platform'], message: error.message }], layers) : error;
    }));
  const findings = checkEnvironment(environment, platform);
  if (findings.length > 0) throw located(findings, layers);
  return { ...environment, name };
}

/**
 * Texts of an environment's file and of all that it extends, by file name, and the outputs of Terraform that it reads:
 * what it takes to read it elsewhere.
 *
 * @throws ConfigurationError
 */
export async function environmentFiles(
  name: string,
  config: Pick<Config, 'environmentsDir' | 'repoRoot'>,
): Promise<Record<string, string>> {
  const { outputs } = await loadEnvironment(name, config);
  const read = Object.entries(await outputsOf(name, outputs, config)).map(([source, found]) => {
    if (typeof found === 'object') return [source, found] as const;
    const file = `${name}.yaml`;
    throw new ConfigurationError([{ file, field: `outputs.${source}.from`, message: found }]);
  });
  const types = Object.fromEntries(Object.entries(outputs).map(([source, of]) => [source, of.types]));
  return Object.fromEntries([
    ...(await readLayers(name, config)).map(({ file, text }) => [file, text]),
    ...(read.length === 0 ? [] : [[carriedFile(name), carriedText(Object.fromEntries(read), types)]]),
  ]) as Record<string, string>;
}

/** Names the file in which each finding stands: the first layer that has the field, else the environment's own. */
function located(findings: Finding[], layers: Layer[]): ConfigurationError {
  const own = layers[0]?.file ?? '';
  const problems = findings.slice(0, SHOWN_FINDINGS).map(({ path, message }) => ({
    file: layers.find(({ tree }) => hasPath(tree, path))?.file ?? own,
    field: path.map(fieldName).join('.'),
    message,
  }));
  const more = findings.length - problems.length;
  return new ConfigurationError(
    more > 0 ? [...problems, { file: own, field: '', message: `and ${more} more problems of this kind` }] : problems,
  );
}

/** A key may be any text. */
function fieldName(part: PropertyKey): string {
  const line = String(part).replace(/\p{Cc}/gu, '?');
  return line.length > SHOWN_KEY ? `${line.slice(0, SHOWN_KEY)}…` : line;
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
