/** Checkpoints with PostgreSQL's own tools: dumped, encrypted, tried out beside the live database, put in its place. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { KubernetesClient, KubernetesObject } from '../../src/clients/kubernetes/index.ts';
import { IdentityError, makeKeyPair } from '../../src/effects/backup/age.ts';
import { readCheckpoints } from '../../src/effects/checkpoint/record.ts';
import { checkDump, dropScratch, isPutBack, loadCheckpoint, putInPlace } from '../../src/effects/checkpoint/restore.ts';
import { makeCheckpoint } from '../../src/effects/checkpoint/take.ts';
import { commandScope } from '../../src/effects/effect.ts';
import { putBack } from '../../src/cli/checkpoint/restore.ts';
import { readAuditRecords } from '../../src/effects/records/audit.ts';
import { swapCommand } from '../../src/plan/checkpoint/scripts.ts';
import { rowChanges } from '../../src/plan/checkpoint/contents.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';

const run = promisify(execFile);
const BIN = globSync('/usr/lib/postgresql/*/bin').sort().at(-1);
const signal = new AbortController().signal;
const scope = commandScope(signal);
const { identity, recipient } = await makeKeyPair();

/** A server of its own on a socket, as its owner may start one: not as root. */
interface Server {
  env: NodeJS.ProcessEnv;
  sql: (database: string, text: string) => Promise<string>;
  close: () => Promise<void>;
}

async function startServer(bin: string): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'checkpoint-pg-'));
  const root = process.getuid?.() === 0;
  const as = (program: string, args: string[]): Promise<unknown> =>
    root ? run('runuser', ['-u', 'postgres', '--', program, ...args]) : run(program, args);
  if (root) {
    await chmod(folder, 0o755);
    await run('chown', ['postgres', folder]);
  }
  const data = join(folder, 'data');
  await as(join(bin, 'initdb'), ['--pgdata', data, '--auth=trust', '--username=postgres', '--no-sync']);
  const options = `-c listen_addresses='' -c unix_socket_directories='${folder}' -c fsync=off`;
  await as(join(bin, 'pg_ctl'), [
    '--pgdata',
    data,
    '--wait',
    '--silent',
    '-l',
    join(folder, 'log'),
    '-o',
    options,
    'start',
  ]);
  const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, PGHOST: folder };
  return {
    env,
    sql: async (database, text) =>
      (
        await run('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', '-d', database, '-c', text], { env })
      ).stdout.trim(),
    close: async () => {
      await as(join(bin, 'pg_ctl'), ['--pgdata', data, '--mode=immediate', 'stop']).catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A pod whose commands are carried out here. */
function execHere(env: NodeJS.ProcessEnv): KubernetesClient['execStream'] {
  return (_pod, [program = '', ...args], { input } = {}) => {
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    // As in a pod, standard input stays open behind what is sent.
    child.stdin.on('error', () => undefined);
    if (input !== undefined) Readable.from(input).pipe(child.stdin, { end: false });
    const ended = new Promise<{ exitCode: number; stderr: string }>((resolve) => {
      child.on('close', (code) => {
        child.stdin.destroy();
        resolve({ exitCode: code ?? 1, stderr });
      });
    });
    return Promise.resolve({ stdout: child.stdout, ended });
  };
}

describe('checkpoints of PostgreSQL', { skip: BIN === undefined && 'needs PostgreSQL' }, () => {
  let server: Server;
  before(async () => {
    server = await startServer(BIN ?? '');
  });
  after(async () => {
    await server.close();
  });

  async function withDatabase(database: string, work: (parts: FakeParts) => Promise<void>): Promise<void> {
    await withFakeClients(async (parts) => {
      const { clients, cluster, folder } = parts;
      await server.sql('postgres', `CREATE ROLE ${database}_owner LOGIN; `).catch(() => undefined);
      await server.sql('postgres', `CREATE DATABASE ${database} OWNER ${database}_owner`);
      await server.sql('postgres', `REVOKE CONNECT ON DATABASE ${database} FROM public`);
      await server.sql('postgres', `ALTER DATABASE ${database} SET work_mem = '9MB'`);
      await server.sql(database, 'CREATE TABLE names (id int PRIMARY KEY, legacy text)');
      await server.sql(database, "INSERT INTO names SELECT n, 'name ' || n FROM generate_series(1, 1000) n");
      const name = 'db';
      const labels = { 'app.kubernetes.io/instance': name };
      const pod: KubernetesObject = {
        metadata: { name: `${name}-0`, namespace: 'ns', uid: 'pod', resourceVersion: '1', labels },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
        spec: { containers: [] },
      };
      cluster.objects.set(`/api/v1/namespaces/ns/pods/${name}-0`, pod);
      Object.assign(clients.kubernetes, { execStream: execHere(server.env) });
      const one = clients.catalog.services[0]!;
      Object.assign(clients, {
        catalog: {
          ...clients.catalog,
          services: [{ ...one, name, namespace: 'ns', ports: [] }],
          databases: [{ server: name, name: database, owner: 'owner', password: { path: 'p', key: 'k' } }],
        },
        environment: {
          ...clients.environment,
          backup: { recipients: [recipient], to: join(folder, 'kept'), keep: 2, timeZone: 'UTC' },
        },
      });
      await work(parts);
    });
  }

  const take = ({ clients }: FakeParts, database: string, id = 'run-1'): ReturnType<typeof makeCheckpoint> =>
    makeCheckpoint(clients, { database: `db/${database}`, before: ['V2__drop.sql'], run: id, by: 'a@b' }, scope);

  test('the migration has run and rows were written since: put back, the rows are as they were, the others are kept aside', async () => {
    await withDatabase('shop', async (parts) => {
      const record = await take(parts, 'shop');
      const file = record.file!;
      assert.ok(file.endsWith('.dump.age') && record.dump!.bytes > 0);
      assert.doesNotMatch((await readFile(file)).toString('latin1'), /legacy/, 'nothing in clear');
      assert.deepEqual(await take(parts, 'shop'), {
        ...record,
        name: (await readCheckpoints(parts.clients.kubernetes, 'sandbox'))[0]!.name,
      });

      await server.sql('shop', 'ALTER TABLE names DROP COLUMN legacy; CREATE TABLE since (id int)');
      await server.sql('shop', 'INSERT INTO names SELECT generate_series(1001, 1042); INSERT INTO since VALUES (1)');
      const checkpoint = { record, file, identities: [identity] };
      const loaded = await loadCheckpoint(parts.clients, checkpoint, scope);
      assert.deepEqual(rowChanges(loaded.now, loaded.then), [
        { table: 'public.names', now: 1042, then: 1000 },
        { table: 'public.since', now: 1, then: undefined },
      ]);
      assert.equal(await isPutBack(loaded.server, record), false);
      // Somebody is at work in it: cut off for the moment of the swap.
      const client = run('psql', ['-U', 'postgres', '-d', 'shop', '-c', 'SELECT pg_sleep(60)'], {
        env: server.env,
      }).catch(() => 'cut off');
      const aside = await putInPlace(loaded, record);
      assert.equal(await client, 'cut off');
      assert.equal(await isPutBack(loaded.server, record), true);
      assert.equal(await server.sql('shop', "SELECT count(*) || ' ' || max(legacy) FROM names"), '1000 name 999');
      assert.equal(await server.sql('shop', 'SHOW work_mem'), '9MB');
      assert.equal(
        await server.sql(
          'postgres',
          "SELECT pg_get_userbyid(datdba) || ' ' || datacl::text FROM pg_database WHERE datname = 'shop'",
        ),
        'shop_owner {=T/shop_owner,shop_owner=CTc/shop_owner}',
      );
      await server.sql('postgres', `ALTER DATABASE ${aside} ALLOW_CONNECTIONS true`);
      assert.equal(await server.sql(aside, 'SELECT count(*) FROM names'), '1042', 'nothing is lost');
    });
  });

  test('tried out: beside the live one, counted and dropped; the live one is untouched', async () => {
    await withDatabase('trial', async (parts) => {
      const record = await take(parts, 'trial');
      const checkpoint = { record, file: record.file!, identities: [identity] };
      // What an attempt before has left goes.
      await loadCheckpoint(parts.clients, checkpoint, scope);
      const loaded = await loadCheckpoint(parts.clients, checkpoint, scope);
      assert.deepEqual([loaded.now, loaded.then], [{ 'public.names': 1000 }, { 'public.names': 1000 }]);
      await dropScratch(loaded);
      assert.equal(await server.sql('postgres', "SELECT count(*) FROM pg_database WHERE datname LIKE 'trial%'"), '1');
    });
  });

  test('what a restoration left that was killed at any line: closed, half loaded, or still at work', async () => {
    await withDatabase('killed', async (parts) => {
      const record = await take(parts, 'killed');
      const checkpoint = { record, file: record.file!, identities: [identity] };
      const first = await loadCheckpoint(parts.clients, checkpoint, scope);
      // The server went down between closing the live database and swapping it.
      await server.sql(
        'postgres',
        `COMMENT ON DATABASE "${first.scratch}" IS 'ananta: the live database is closed for this one'`,
      );
      await server.sql('postgres', 'ALTER DATABASE killed ALLOW_CONNECTIONS false');
      // And a tool of that attempt is still in the scratch database.
      const tool = run('psql', ['-U', 'postgres', '-d', first.scratch, '-c', 'SELECT pg_sleep(60)'], {
        env: server.env,
      }).catch(() => 'cut off');
      const again = await loadCheckpoint(parts.clients, checkpoint, scope);
      assert.equal(await tool, 'cut off');
      assert.equal(await server.sql('killed', 'SELECT count(*) FROM names'), '1000', 'it is open again');
      // A swap of the first attempt runs late: the database is no longer the one that it was to replace.
      const swapping = swapCommand('killed', { name: first.scratch, oid: first.oid }, 'killed_aside', 'mark');
      swapping[2] = swapping[2]!.replace('-ge 10', '-ge 1');
      await assert.rejects(again.server.run(swapping), /ended with 44/);
      assert.equal(await isPutBack(again.server, record), false);
      await putInPlace(again, record);
      assert.equal(await isPutBack(again.server, record), true);
    });
  });

  test('a database that somebody else has closed stays closed', async () => {
    await withDatabase('closed', async (parts) => {
      const record = await take(parts, 'closed');
      await server.sql('postgres', 'ALTER DATABASE closed ALLOW_CONNECTIONS false');
      await assert.rejects(
        loadCheckpoint(parts.clients, { record, file: record.file!, identities: [identity] }, scope),
        /not currently accepting connections/,
      );
      assert.equal(await server.sql('postgres', "SELECT datallowconn FROM pg_database WHERE datname = 'closed'"), 'f');
      assert.equal(await server.sql('postgres', "SELECT count(*) FROM pg_database WHERE datname LIKE 'closed%'"), '1');
    });
  });

  test('a dump that does not restore leaves nothing beside the live database', async () => {
    await withDatabase('fails', async (parts) => {
      const record = await take(parts, 'fails');
      const { clients } = parts;
      const real = clients.kubernetes.execStream;
      clients.kubernetes.execStream = (pod, command, options) =>
        real(pod, command[2]?.includes('pg_restore') ? ['sh', '-c', 'echo broken >&2; exit 1'] : command, options);
      await assert.rejects(
        loadCheckpoint(clients, { record, file: record.file!, identities: [identity] }, scope),
        /ended with 1: broken/,
      );
      assert.equal(await server.sql('postgres', "SELECT count(*) FROM pg_database WHERE datname LIKE 'fails%'"), '1');
    });
  });

  test('put back once more: left alone while it holds the same; after that only when it is asked for, on record', async () => {
    await withDatabase('twice', async (parts) => {
      const [record] = await take(parts, 'twice').then(() => readCheckpoints(parts.clients.kubernetes, 'sandbox'));
      const key = join(parts.folder, 'key');
      await writeFile(key, `${identity}\n`);
      const said: string[] = [];
      const back = (repeat: 'yes' | 'ask' | 'never'): ReturnType<typeof putBack> =>
        putBack(
          { terminal: { stdout: { write: (text: string) => said.push(text) } } as never },
          parts.clients,
          record!,
          { name: 'sandbox', identity: key, confirm: 'sandbox', repeat },
          scope,
        );
      assert.equal((await back('ask')).changed, true);
      assert.equal((await back('ask')).changed, false, 'nothing was written since');
      await server.sql('twice', "UPDATE names SET legacy = 'other' WHERE id = 7");
      assert.equal((await back('never')).changed, false, 'a rollback that goes on');
      await assert.rejects(back('ask'), /put back from checkpoint \w+ before, and has been written to since/);
      assert.equal((await back('yes')).changed, true);
      assert.match(said.join(''), /As many rows, and others among them: public\.names/);
      assert.equal(await server.sql('twice', 'SELECT legacy FROM names WHERE id = 7'), 'name 7');
      assert.equal(await server.sql('postgres', "SELECT count(*) FROM pg_database WHERE datname LIKE 'twice%'"), '3');
      assert.deepEqual(
        (await readAuditRecords(parts.clients.kubernetes, 'sandbox')).map(({ operation, outcome }) => [
          operation,
          outcome,
        ]),
        [
          ['checkpoint restore', 'succeeded'],
          ['checkpoint restore', 'succeeded'],
        ],
      );
    });
  });

  test('what is damaged, cut off or for another key is found before anything is touched', async () => {
    await withDatabase('damage', async (parts) => {
      const record = await take(parts, 'damage');
      const file = join(parts.folder, 'copy');
      await copyFile(record.file!, file);
      await checkDump({ record, file, identities: [identity] });
      await assert.rejects(checkDump({ record, file, identities: [(await makeKeyPair()).identity] }), IdentityError);
      await assert.rejects(
        checkDump({ record: { ...record, dump: { bytes: 1, sha256: 'other' } }, file, identities: [identity] }),
        /its sum is another one/,
      );
      await writeFile(file, (await readFile(file)).subarray(0, -20));
      await assert.rejects(loadCheckpoint(parts.clients, { record, file, identities: [identity] }, scope), /damaged/);
      assert.equal(await server.sql('postgres', "SELECT count(*) FROM pg_database WHERE datname LIKE 'damage%'"), '1');
    });
  });

  test('a dump that fails leaves no file and no record; the newest are kept, each database by itself', async () => {
    await withDatabase('many', async (parts) => {
      const { clients } = parts;
      const real = clients.kubernetes.execStream;
      const broken = [{ ...clients.catalog.databases[0]!, name: 'missing' }, ...clients.catalog.databases];
      await assert.rejects(
        makeCheckpoint(
          { ...clients, catalog: { ...clients.catalog, databases: broken } },
          { database: 'db/missing', before: [], run: 'r', by: 'b' },
          scope,
        ),
        /pg_dump in pod ns\/db-0 ended with 1: .*"missing" does not exist/,
      );
      const kept = join(parts.folder, 'kept');
      assert.deepEqual(await readdir(kept), []);
      assert.deepEqual(await readCheckpoints(clients.kubernetes, 'sandbox'), []);
      clients.kubernetes.execStream = real;
      for (const id of ['one', 'two', 'three']) await take(parts, 'many', id);
      const left = await readCheckpoints(clients.kubernetes, 'sandbox');
      assert.deepEqual(
        left.map((record) => record.run),
        ['three', 'two'],
      );
      assert.deepEqual((await readdir(kept)).sort(), left.map(({ file }) => file!.split('/').at(-1)).sort());
    });
  });
});
