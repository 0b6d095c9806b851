/** A PostgreSQL of this machine in a folder of its own, for tests that want the real one. */
import { execFile, spawn } from 'node:child_process';
import { access, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../eventually.ts';
import { freePort } from './ports.ts';

const run = promisify(execFile);
const HOMES = ['/usr/lib/postgresql/17/bin', '/usr/lib/postgresql/16/bin', '/usr/lib/postgresql/15/bin'];

export interface Postgres {
  port: number;
  /** Runs a query as whoever may log in. @throws Error where the server refuses */
  query(user: string, password: string, sql: string, database?: string): Promise<string>;
  stop(): Promise<void>;
}

/** @returns the folder of its programs; undefined where there is none */
export async function findPostgres(): Promise<string | undefined> {
  for (const home of HOMES)
    if (
      await access(join(home, 'initdb')).then(
        () => true,
        () => false,
      )
    )
      return home;
  return undefined;
}

/** Passwords are looked at on every connection over TCP, as in the platform's. */
export async function startPostgres(home: string, superuserPassword: string): Promise<Postgres> {
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'));
  // It refuses to run as root.
  const who: { uid?: number; gid?: number } = process.getuid?.() === 0 ? await userOf('postgres') : {};
  if (who.uid !== undefined) await chown(folder, who.uid, who.gid ?? 0);
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${superuserPassword}\n`);
  if (who.uid !== undefined) await chown(passwordFile, who.uid, who.gid ?? 0);
  const data = join(folder, 'data');
  const options = { ...who, cwd: folder };
  await run(
    join(home, 'initdb'),
    ['-D', data, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--no-sync'],
    options,
  );
  const port = await freePort();
  const server = spawn(
    join(home, 'postgres'),
    ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', folder, '-F', '-c', 'log_statement=all'],
    { ...options, stdio: ['ignore', 'ignore', 'ignore'] },
  );
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const query: Postgres['query'] = async (user, password, sql, database = 'postgres') => {
    const { stdout } = await run(
      join(home, 'psql'),
      ['-X', '-A', '-t', '-q', '-h', '127.0.0.1', '-p', String(port), '-U', user, '-d', database, '-c', sql],
      { env: { PGPASSWORD: password, PGCONNECT_TIMEOUT: '10', LC_ALL: 'C', PATH: '/usr/bin:/bin' } },
    );
    return stdout.trim();
  };
  await eventually(() => query('postgres', superuserPassword, 'SELECT 1'));
  return {
    port,
    query,
    stop: async () => {
      server.kill('SIGQUIT');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function userOf(name: string): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, name])).stdout)),
  );
  return { uid: uid ?? 0, gid: gid ?? 0 };
}
