/** `ananta env check|show`. */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import type { Config } from '../config.ts';
import { EXIT_CODES } from '../contract/failures.ts';
import { chartMirror } from '../environment/charts.ts';
import { ConfigurationError, type ConfigurationProblem } from '../environment/errors.ts';
import { listEnvironments, loadEnvironment } from '../environment/load.ts';
import type { Environment } from '../environment/schema.ts';
import { chartLockFile } from '../plan/chart-lock.ts';
import type { CliContext } from './context.ts';
import type { ExitCode } from './failure.ts';
import { printLines } from './terminal.ts';

export interface EnvCheckOptions {
  json?: true;
}

export interface EnvShowOptions {
  env: string;
  json?: true;
}

export async function checkEnvironments(
  context: CliContext,
  names: readonly string[],
  { json }: EnvCheckOptions,
): Promise<ExitCode> {
  const {
    config,
    terminal: { stdout, style },
  } = context;
  const wanted = names.length > 0 ? names : await listEnvironments(config);
  const results = await Promise.all(wanted.map(async (name) => ({ name, problems: await problemsOf(name, config) })));
  const sound = results.every(({ problems }) => problems.length === 0);
  if (json) printLines(stdout, [JSON.stringify({ sound, environments: results })]);
  else {
    printLines(
      stdout,
      results.flatMap(({ name, problems }) =>
        problems.length === 0
          ? [style('good', `✔ ${name}`)]
          : [
              style('bad', `✘ ${name}`),
              ...problems.map(
                ({ file, field, message }) => `  ${[file, field, message].filter((part) => part !== '').join(': ')}`,
              ),
            ],
      ),
    );
  }
  return sound ? EXIT_CODES.done : EXIT_CODES.refused;
}

export async function showEnvironment(
  { config, terminal: { stdout } }: CliContext,
  { env, json }: EnvShowOptions,
): Promise<void> {
  const environment = await loadEnvironment(env, config);
  printLines(
    stdout,
    json
      ? [JSON.stringify(environment)]
      : stringify(environment, { aliasDuplicateObjects: false }).trimEnd().split('\n'),
  );
}

async function problemsOf(name: string, config: Config): Promise<ConfigurationProblem[]> {
  let environment: Environment;
  try {
    environment = await loadEnvironment(name, config);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  const problems = await Promise.all(
    namedFiles(environment, config).map(async ({ field, path }): Promise<ConfigurationProblem[]> => {
      const there = await access(path).then(
        () => true,
        () => false,
      );
      return there ? [] : [{ file: `${name}.yaml`, field, message: `there is no file ${path} on this machine` }];
    }),
  );
  return [...problems.flat(), ...(await publicKeyProblems(environment, config))];
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
    ['notify.headersFile', environment.notify.headersFile],
  ] as [string, string | undefined][];
  return all.flatMap(([field, path]) => (path === undefined ? [] : [{ field, path: resolve(path) }]));
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
  const { readPublicKey } = await import('../clients/vault/public-keys.ts');
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
