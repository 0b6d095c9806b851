/** `ananta env check|show`. */
import { stringify } from 'yaml';
import { EXIT_CODES } from '../../contract/failures.ts';
import { listEnvironments, loadEnvironment } from '../../environment/load.ts';
import type { CliContext } from '../shared/context.ts';
import { type EnvironmentCheck, problemsOf } from './env-problems.ts';
import type { ExitCode } from '../shared/failure.ts';
import { printLines } from '../shared/terminal.ts';

export interface EnvCheckOptions {
  /** False: --no-charts. */
  charts: boolean;
  json?: true;
}

export interface EnvShowOptions {
  env: string;
  json?: true;
}

export async function checkEnvironments(
  context: CliContext,
  names: readonly string[],
  { charts, json }: EnvCheckOptions,
): Promise<ExitCode> {
  const {
    config,
    terminal: { stdout, style },
  } = context;
  const wanted = names.length > 0 ? names : await listEnvironments(config);
  const results: ({ name: string } & EnvironmentCheck)[] = [];
  // One after the other: each renders on all cores, and has much in common with those before.
  for (const name of wanted) results.push({ name, ...(await problemsOf(name, config, { charts })) });
  const sound = results.every(({ problems }) => problems.length === 0);
  if (json) printLines(stdout, [JSON.stringify({ sound, environments: results })]);
  else {
    printLines(
      stdout,
      results.flatMap(({ name, problems, notes }) => [
        ...(problems.length === 0
          ? [style('good', `✔ ${name}`)]
          : [
              style('bad', `✘ ${name}`),
              ...problems.map(
                ({ file, field, message }) => `  ${[file, field, message].filter((part) => part !== '').join(': ')}`,
              ),
            ]),
        ...notes.map((note) => `  ${note}`),
      ]),
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
