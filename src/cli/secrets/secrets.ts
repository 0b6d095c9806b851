/** `ananta secrets list|set|get`: what the catalog alone shows to be wrong is refused first. */
import type { Catalog, SecretKey } from '../../catalog/schema.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import { suggestion } from '../../suggest.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, failed, refused } from '../shared/failure.ts';
import { commandLine, table } from '../shared/format.ts';
import { readSecretValue } from './input.ts';
import { isNotProvisioned } from '../plan/provisioned.ts';
import { printLines } from '../shared/terminal.ts';

export interface SecretsOptions {
  env: string;
  json?: true;
}

export interface SecretRow {
  path: string;
  key: string;
  kind: SecretKey['kind'];
  /** null while Vault cannot be asked. */
  present: boolean | null;
  /** Somebody has to supply it before the next deployment. */
  missing: boolean;
  /** Generated values: since when it is what it is, ISO 8601. Absent where nobody knows. */
  since?: string;
  /** A rotation has begun then, and has not ended. */
  rotating?: string;
  /** What stands there instead of text: `a number`. Absent where it is as it should be. */
  problem?: string;
}

const HOW: Record<SecretKey['kind'], string> = {
  generated: 'generated once',
  fixed: 'fixed',
  jwt: 'signed token',
  bcrypt: 'hash of another key',
  copy: 'copy of another path',
  supplied: 'supplied by you',
};

export async function listSecrets(context: CliContext, options: SecretsOptions): Promise<ExitCode> {
  const environment = await loadEnvironment(options.env, context.config);
  const { withLiveClients } = await import('../shared/clients.ts');
  const { presenceOf } = await import('./presence.ts');
  const { present, missing, problems, note, ages } = await withLiveClients(context, environment, presenceOf);
  const { secretPaths } = await loadPlatform(environment, context.config);
  const rows = secretPaths.flatMap(({ path, keys }) =>
    keys.map(
      ({ name, kind }): SecretRow => ({
        path,
        key: name,
        kind,
        present: present?.has(`${path} ${name}`) ?? null,
        missing: missing.has(`${path} ${name}`),
        ...ageOf(present?.has(`${path} ${name}`) === true ? ages?.get(`${path} ${name}`) : undefined),
        ...problemOf(problems.get(`${path} ${name}`)),
      }),
    ),
  );
  const lacking = rows.filter((row) => row.missing);
  const wrong = rows.filter((row) => row.problem !== undefined);
  const { terminal } = context;
  if (options.json) printLines(terminal.stdout, [JSON.stringify(rows)]);
  else {
    printLines(terminal.stdout, [
      ...table(rows.map((row) => [row.path, row.key, HOW[row.kind], presenceWord(row), ageWord(row, Date.now())])),
      ...(note === undefined ? [] : ['', note]),
      ...(wrong.length === 0
        ? []
        : [
            '',
            'No text, so no service can be given it. Put the value back, on standard input:',
            ...wrong.map(({ path, key }) => `  vault kv patch secret/${path} ${key}=-`),
          ]),
      ...(lacking.length === 0
        ? []
        : [
            '',
            'Missing, to be supplied by you:',
            ...lacking.map(
              ({ path, key }) => `  ${commandLine('secrets', 'set', path, key, '--env', environment.name)} < FILE`,
            ),
          ]),
    ]);
  }
  return lacking.length + wrong.length === 0 ? EXIT_CODES.done : EXIT_CODES.failed;
}

function presenceWord({ missing, present, problem }: SecretRow): string {
  if (problem !== undefined) return `${problem}, no text`;
  if (missing) return 'missing';
  return present === null ? '?' : present ? 'there' : 'not yet';
}

/** `12 days`; what is rotated at the moment is named. */
function ageWord({ since, rotating }: SecretRow, now: number): string {
  if (rotating !== undefined) return `rotation begun ${rotating}, not ended: run rotate again`;
  if (since === undefined) return '';
  const days = Math.floor((now - Date.parse(since)) / 86_400_000);
  return days < 1 ? 'today' : days === 1 ? '1 day' : `${days} days`;
}

function ageOf(age: { since?: string; begun?: string } | undefined): Pick<SecretRow, 'since' | 'rotating'> {
  return {
    ...(age?.since === undefined ? {} : { since: age.since }),
    ...(age?.begun === undefined ? {} : { rotating: age.begun }),
  };
}

function problemOf(problem: string | undefined): Pick<SecretRow, 'problem'> {
  return problem === undefined ? {} : { problem };
}

export async function setSecret(
  context: CliContext,
  path: string,
  key: string,
  options: SecretsOptions,
): Promise<void> {
  const environment = await loadEnvironment(options.env, context.config);
  const declared = declaredKey(await loadPlatform(environment, context.config), path, key);
  // One that is generated may have been lost: then Vault is asked, where there is one to ask.
  if (
    declared.kind !== 'supplied' &&
    (declared.kind !== 'generated' || (await isNotProvisioned(environment, context.config)))
  )
    throw refused(
      `${key} of secret/${path} is not supplied (${HOW[declared.kind]}), and what services already use is never overwritten. Only values that third parties issue are set here.`,
      commandLine('secrets', 'list'),
    );
  const { withLiveClients } = await import('../shared/clients.ts');
  const { requireSettable, setSecret: store } = await import('../../effects/secrets.ts');
  if (declared.kind === 'generated')
    await withLiveClients(context, environment, (clients, signal) => requireSettable(clients, path, key, signal));
  const value = await readSecretValue(`Value of ${path} ${key} (not shown): `);
  const result = await withLiveClients(context, environment, (clients, signal) =>
    store(clients, path, key, value, signal),
  );
  printLines(context.terminal.stderr, [
    result.stored === 'vault'
      ? `Written: secret/${path}, key ${key}, version ${result.version}. What reads it gets it with the next deployment.`
      : `Kept: ${path} ${key} waits in a file that only you can read, since Vault does not run yet. The next deployment moves it into Vault.`,
    `Next: ${commandLine('deploy', '--env', environment.name)}`,
  ]);
}

export async function getSecret(
  context: CliContext,
  path: string,
  key: string,
  options: SecretsOptions,
): Promise<void> {
  const environment = await loadEnvironment(options.env, context.config);
  declaredKey(await loadPlatform(environment, context.config), path, key);
  const { stdout } = context.terminal;
  if (stdout.isTTY !== true)
    throw refused(
      'A value is shown on a terminal only, so that none ends in a file or a log. Standard output is not a terminal here.',
    );
  const { withLiveClients } = await import('../shared/clients.ts');
  const { getSecret: read } = await import('../../effects/secrets.ts');
  const value = await withLiveClients(context, environment, async (clients, signal) => {
    const { state, detail } = await clients.vault.state(signal);
    if (state !== 'open' && state !== 'sealed')
      throw failed(
        `Vault cannot be asked: ${detail}.`,
        `${commandLine('deploy', '--env', environment.name)}   (brings it up)`,
      );
    return read(clients, path, key, signal);
  });
  if (value === undefined)
    throw failed(
      `secret/${path} has no value for ${key} yet.`,
      commandLine('secrets', 'list', '--env', environment.name),
    );
  printLines(stdout, [value]);
}

/** @throws CliError (refused) with the nearest name */
function declaredKey(catalog: Catalog, path: string, key: string): SecretKey {
  const found = catalog.secretPaths.find((candidate) => candidate.path === path);
  if (!found)
    throw refused(
      `There is no secret path "${path}"${
        suggestion(
          path,
          catalog.secretPaths.map((candidate) => candidate.path),
        ) || '.'
      }`,
      commandLine('secrets', 'list'),
    );
  const declared = found.keys.find(({ name }) => name === key);
  if (!declared)
    throw refused(
      `secret/${path} has no key "${key}"${
        suggestion(
          key,
          found.keys.map(({ name }) => name),
        ) || `; it has ${found.keys.map(({ name }) => name).join(', ')}.`
      }`,
      commandLine('secrets', 'list'),
    );
  return declared;
}
