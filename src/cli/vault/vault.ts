/** `ananta vault status|unseal|shares|root`. */
import type { Clients } from '../../clients/index.ts';
import { VaultError } from '../../clients/vault/index.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, failed, refused } from '../shared/failure.ts';
import { commandLine, count, table } from '../shared/format.ts';
import { readSecretValue } from '../secrets/input.ts';
import { printLines } from '../shared/terminal.ts';

export interface VaultOptions {
  env: string;
  json?: true;
}

export interface ServerRow {
  server: string;
  state: 'not initialised' | 'sealed' | 'standby' | 'active' | 'no answer';
  /** Shares given to a sealed one, and how many it takes; 0 where nothing is asked for. */
  given: number;
  threshold: number;
}

export async function vaultStatus(context: CliContext, { env, json }: VaultOptions): Promise<ExitCode> {
  const { rows, kept } = await withVault(context, env, async (clients, signal) => ({
    rows: await rowsOf(clients, signal),
    kept: await keeping(clients),
  }));
  const open = rows.length > 0 && rows.every(({ state }) => state === 'active' || state === 'standby');
  const { stdout, style } = context.terminal;
  if (json) printLines(stdout, [JSON.stringify({ environment: env, open, servers: rows, ...kept })]);
  else {
    const shown = rows.map(({ server, state, given, threshold }) => [
      server,
      state,
      state === 'sealed' ? `${given} of ${threshold} shares given` : '',
    ]);
    printLines(stdout, [
      ...(rows.length === 0 ? ['No server of Vault runs.'] : table(shown)),
      '',
      kept.owners === null
        ? `Keys: ${kept.kept ? kept.place : `none in ${kept.place}`}`
        : `Shares: ${kept.place}, encrypted to ${kept.owners.join(', ')}`,
      ...(open
        ? []
        : [
            `${style('bold', 'Next:')} ${rows.some(({ state }) => state === 'sealed') && kept.owners !== null ? `${commandLine('vault', 'unseal', '--env', env)}   (each owner of a share)` : commandLine('deploy', '--env', env)}`,
          ]),
    ]);
  }
  return open ? EXIT_CODES.done : EXIT_CODES.failed;
}

export async function vaultUnseal(context: CliContext, { env }: VaultOptions): Promise<ExitCode> {
  await withVault(context, env, async (clients, signal) => {
    const rows = await rowsOf(clients, signal);
    if (rows.some(({ state }) => state === 'sealed')) return;
    throw rows.every(({ state }) => state === 'not initialised')
      ? refused('Vault is not initialised: there is no share yet.', commandLine('deploy', '--env', env))
      : refused('Nothing to do: no server of Vault is sealed.', commandLine('vault', 'status', '--env', env));
  });
  const share = await readSecretValue('Your share (not shown): ');
  const rows = await withVault(context, env, async (clients, signal) => {
    clients.redactor.learn(share);
    const servers = await clients.vault.servers(signal);
    for (const row of (await rowsOf(clients, signal)).filter(({ state }) => state === 'sealed')) {
      const server = servers.find(({ name }) => name === row.server);
      try {
        await server?.api.unseal(share, signal);
      } catch (error) {
        if (!(error instanceof VaultError)) throw error;
        if (error.status >= 500) {
          await server?.api.resetUnseal(signal);
          throw failed(
            `${row.server} is joining the others and has forgotten the shares given so far: ${clients.redactor.redact(error.message)}`,
            `${commandLine('vault', 'unseal', '--env', env)}   (each owner once more)`,
          );
        }
        throw refused(
          `${row.server} refused the share: ${clients.redactor.redact(error.message)}`,
          'Give the decrypted share, as gpg --decrypt prints it.',
          commandLine('vault', 'status', '--env', env),
        );
      }
    }
    return rowsOf(clients, signal);
  });
  const sealed = rows.filter(({ state }) => state === 'sealed');
  const { stderr, style } = context.terminal;
  printLines(
    stderr,
    sealed.length === 0
      ? [
          style(
            'good',
            `Vault is open (${count(rows.length, 'server')}). A deployment that waits for it goes on by itself.`,
          ),
        ]
      : [
          ...sealed.map(({ server, given, threshold }) =>
            given === 0
              ? `${server} is still sealed, and no share is counted: the shares given so far do not belong together. Begin anew with each owner's own share.`
              : `${server}: ${given} of ${threshold} shares given.`,
          ),
          `${style('bold', 'Next:')} ${commandLine('vault', 'unseal', '--env', env)}   (the next owner)`,
        ],
  );
  return sealed.length === 0 ? EXIT_CODES.done : EXIT_CODES.changes;
}

export async function vaultShares(context: CliContext, { env, json }: VaultOptions): Promise<void> {
  const { record, place } = await withVault(context, env, async ({ vault }) => ({
    record: await vault.keys.read(),
    place: vault.keys.path,
  }));
  if (record === undefined) throw failed(`There are no shares in ${place}.`, commandLine('deploy', '--env', env));
  const { encryptedFor } = record;
  if (encryptedFor === undefined)
    throw refused(
      `The shares of "${env}" are not encrypted to people, so they are not shown. They are kept in ${place}.`,
    );
  const shares = record.keys.map((share, index) => ({ owner: encryptedFor[index] ?? '', share }));
  const { stdout } = context.terminal;
  if (json)
    printLines(stdout, [
      JSON.stringify({
        environment: env,
        threshold: record.threshold,
        shares,
        ...(record.encryptedRootToken === undefined ? {} : { rootToken: record.encryptedRootToken }),
      }),
    ]);
  else {
    printLines(stdout, [
      ...shares.flatMap(({ owner, share }) => [`${owner}:`, share, '']),
      ...(record.encryptedRootToken === undefined ? [] : ['root token:', record.encryptedRootToken, '']),
      `${record.threshold} of ${shares.length} open Vault. To decrypt one: base64 -d | gpg --decrypt`,
    ]);
  }
}

export async function vaultRoot(context: CliContext, { env }: VaultOptions): Promise<void> {
  // Nobody is asked for a secret that could not be used.
  await loadEnvironment(env, context.config);
  const token = await readSecretValue('Root token (not shown): ');
  await withVault(context, env, async ({ vault, redactor }, signal) => {
    redactor.learn(token);
    try {
      await vault.root.accept(token.trim(), signal);
    } catch (error) {
      if (!(error instanceof VaultError) || error.status !== 403) throw error;
      throw refused(
        'Vault does not take this as a root token. Nothing was kept.',
        'Make one with: vault operator generate-root',
      );
    }
  });
  printLines(context.terminal.stderr, [
    `Kept until the deployment has used it; then it is revoked. A deployment that waits for it goes on by itself.`,
    `Next: ${commandLine('deploy', '--env', env)}`,
  ]);
}

async function withVault<T>(
  context: CliContext,
  env: string,
  work: (clients: Clients, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const environment = await loadEnvironment(env, context.config);
  const { withLiveClients } = await import('../shared/clients.ts');
  return withLiveClients(context, environment, work);
}

async function rowsOf({ vault }: Clients, signal: AbortSignal): Promise<ServerRow[]> {
  return Promise.all(
    (await vault.servers(signal)).map(async ({ name, api }): Promise<ServerRow> => {
      try {
        const { initialized, sealed, standby } = await api.health(signal);
        // Asked after the state: a server that is just being initialised would report a threshold of 0.
        const { given, threshold } = await api.sealStatus(signal);
        return {
          server: name,
          given,
          threshold,
          state: !initialized ? 'not initialised' : sealed ? 'sealed' : standby ? 'standby' : 'active',
        };
      } catch {
        signal.throwIfAborted();
        return { server: name, state: 'no answer', given: 0, threshold: 0 };
      }
    }),
  );
}

async function keeping({ vault }: Clients): Promise<{ place: string; kept: boolean; owners: string[] | null }> {
  const record = await vault.keys.read();
  return { place: vault.keys.path, kept: record !== undefined, owners: record?.encryptedFor ?? null };
}
