/** What `ananta env check` finds: in the files of an environment, and in the files that they name. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Config } from '../../config.ts';
import { encryptionOf } from '../../environment/connections.ts';
import { chartMirror } from '../../environment/fields/charts.ts';
import { ConfigurationError, type ConfigurationProblem } from '../../environment/errors.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import type { Environment } from '../../environment/schema.ts';
import { chartLockFile } from '../../plan/charts/lock.ts';
import { platformInputs } from '../../plan/inputs/platform-inputs.ts';
import { referencesOf } from '../../plan/references.ts';
import { resourceConflicts } from '../../plan/inputs/resources.ts';

/** What is wrong with an environment, and what could not be looked at. */
export interface EnvironmentCheck {
  problems: ConfigurationProblem[];
  notes: string[];
}

/**
 * Charts are rendered only where everything else is right.
 * @returns no problem for an environment that can be used, as far as this machine can check
 */
export async function problemsOf(
  name: string,
  config: Config,
  { charts }: { charts: boolean },
): Promise<EnvironmentCheck> {
  let environment: Environment;
  try {
    environment = await loadEnvironment(name, config);
  } catch (error) {
    if (error instanceof ConfigurationError) return { problems: error.problems, notes: [] };
    throw error;
  }
  const found = await Promise.all([
    ...namedFiles(environment, config).map((file) => fileProblems(file, name)),
    kubeconfigProblems(environment, config),
    publicKeyProblems(environment, config),
    historyKeyProblems(environment, config),
    inputProblems(environment, config),
  ]);
  const problems = found.flat();
  const notes = unseenValues(environment, config);
  if (problems.length > 0 || !charts) return { problems, notes };
  // Loaded late: most that is wrong is found before.
  const { renderedProblems } = await import('./rendered-problems.ts');
  try {
    const rendered = await renderedProblems(await loadPlatform(environment, config), environment, config);
    return { ...rendered, notes: [...notes, ...rendered.notes] };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { problems: [{ file: `${name}.yaml`, field: '', message }], notes };
  }
}

/** Variables of the workers may be there and not here; what lies in a cluster is tried by `notify test`. */
function unseenValues(environment: Environment, config: Config): string[] {
  const { name } = environment;
  return referencesOf(environment).flatMap(({ field, reference }) =>
    'env' in reference && (config.userEnv[reference.env] ?? '') === ''
      ? [`${name}.yaml: ${field}: the variable ${reference.env} is not set here; the workers need it`]
      : [],
  );
}

async function fileProblems({ field, path }: NamedFile, name: string): Promise<ConfigurationProblem[]> {
  const message = await stat(path).then(
    (found) => (found.isDirectory() ? `${path} is a folder, not a file` : undefined),
    () => `there is no file ${path} on this machine`,
  );
  return message === undefined ? [] : [{ file: `${name}.yaml`, field, message }];
}

/** Only one that the environment itself names: that of the user may be on another machine. */
async function kubeconfigProblems({ name, cluster }: Environment, config: Config): Promise<ConfigurationProblem[]> {
  if (!('context' in cluster) || cluster.kubeconfig === undefined || cluster.context === 'in-cluster') return [];
  const kubeconfig = resolve(config.repoRoot, cluster.kubeconfig);
  const there = await stat(kubeconfig).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!there) return [];
  const { loadKubeconfig } = await import('../../clients/kubernetes/kubeconfig/kubeconfig.ts');
  try {
    loadKubeconfig({ kubeconfig, context: cluster.context, inCluster: false });
    return [];
  } catch (error) {
    return [
      { file: `${name}.yaml`, field: 'cluster', message: error instanceof Error ? error.message : String(error) },
    ];
  }
}

/** Of charts and values together with this environment. */
async function inputProblems(environment: Environment, config: Config): Promise<ConfigurationProblem[]> {
  try {
    const inputs = platformInputs(await loadPlatform(environment, config), environment, config);
    return await resourceConflicts(environment, await inputs({}));
  } catch (error) {
    return [
      { file: `${environment.name}.yaml`, field: '', message: error instanceof Error ? error.message : String(error) },
    ];
  }
}

interface NamedFile {
  field: string;
  path: string;
}

/** Files that have to be there for the environment to be used. */
function namedFiles(environment: Environment, config: Config): NamedFile[] {
  const { cluster, engine } = environment;
  const mirror = chartMirror(environment);
  const engineFiles =
    'address' in engine
      ? [
          ['engine.apiKeyFile', engine.apiKeyFile],
          ...(typeof engine.tls === 'object'
            ? (['ca', 'cert', 'key'] as const).map((name) => [
                `engine.tls.${name}`,
                typeof engine.tls === 'object' ? engine.tls[name] : undefined,
              ])
            : []),
        ]
      : [];
  const all = [
    ['cluster.kubeconfig', 'context' in cluster ? cluster.kubeconfig : undefined],
    ...engineFiles,
    ['chartMirror.ca', mirror?.ca],
    ['chartMirror.credentials', mirror?.credentials],
    ['chartLock', environment.chartLock === undefined ? undefined : chartLockFile(environment, config)],
    ['vault.external.ca', environment.vault.external?.ca],
    ...referencesOf(environment).flatMap(({ field, reference }) =>
      'file' in reference ? [[field, reference.file]] : [],
    ),
    ['telemetry.traces.headersFile', environment.telemetry?.traces?.headersFile],
  ] as [string, string | undefined][];
  return all.flatMap(([field, path]) => (path === undefined ? [] : [{ field, path: resolve(config.repoRoot, path) }]));
}

/** Of encrypted histories. A program that prints them may ask for a log-in, and is not started. */
async function historyKeyProblems(environment: Environment, config: Config): Promise<ConfigurationProblem[]> {
  const encryption = encryptionOf(environment, config);
  if (encryption === undefined || encryption.keysCommand !== undefined) return [];
  const { readRing } = await import('../../clients/temporal/encryption/source.ts');
  try {
    await readRing(encryption);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ file: `${environment.name}.yaml`, field: 'encryption', message }];
  }
}

/** Of the operators: each has to hold a public key. */
async function publicKeyProblems(
  { name, vault: { keys } }: Environment,
  config: Config,
): Promise<ConfigurationProblem[]> {
  const named = [
    ...(keys.publicKeys ?? []).map((file, index) => ({ file, field: `vault.keys.publicKeys.${index}` })),
    ...(keys.rootTokenKey === undefined ? [] : [{ file: keys.rootTokenKey, field: 'vault.keys.rootTokenKey' }]),
  ];
  if (named.length === 0) return [];
  const { readPublicKey } = await import('../../clients/vault/public-keys.ts');
  const checked = await Promise.all(
    named.map(async ({ file, field }): Promise<ConfigurationProblem[]> => {
      try {
        await readPublicKey(resolve(config.repoRoot, file));
        return [];
      } catch (error) {
        return [{ file: `${name}.yaml`, field, message: error instanceof Error ? error.message : String(error) }];
      }
    }),
  );
  return checked.flat();
}
