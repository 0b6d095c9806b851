/**
 * A password is rotated while clients log in without a pause, each with what its Secret held when its pod started.
 * Vault and cluster are fakes, the server is a real PostgreSQL of this machine: what is said to it is what a container
 * would be told.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createActivities } from '../../../src/activities/index.ts';
import type { Activities } from '../../../src/contract/activities.ts';
import type { RotationAct } from '../../../src/contract/operations/secret-name.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { findPostgres, type Postgres, startPostgres } from '../../support/programs/postgres.ts';
import { type Login, readSecret, withClients } from '../../support/rotation/clients.ts';
import { inContainer } from '../../support/rotation/container.ts';
import { testScope } from '../../support/scope.ts';
import { QUEUE, restartApi, rotating, seed, setTo } from '../../support/rotation/sample.ts';

const home = await findPostgres();
const ADMIN = 'the-superusers-password';

const write = ({ username, password }: Login): Promise<string> =>
  postgres.query(username, password, "INSERT INTO seen VALUES ('row')", 'apps');
const secretOf = readSecret;

let postgres: Postgres;

/** The platform as it was deployed: the server knows what Vault does. */
async function withPlatform(
  work: (parts: FakeParts, activities: Activities, said: string[]) => Promise<void>,
): Promise<void> {
  await withFakeClients(async (parts) => {
    rotating(parts);
    const said: string[] = [];
    parts.clients.kubernetes.exec = (_pod, _container, command, _signal, input = '') => {
      said.push(command.join(' '));
      return inContainer(command, input, { PATH: `${home}:/usr/bin:/bin`, PGPORT: String(postgres.port) });
    };
    const activities = createActivities(parts.clients, () => testScope());
    await seed(parts, activities);
    setTo(parts, { path: 'stores/cache', key: 'redis-password' }, ADMIN);
    await activities.syncSecrets(parts.run);
    const { username, password } = secretOf(parts);
    const setUp = [
      'DROP DATABASE IF EXISTS apps',
      'DROP ROLE IF EXISTS apps_b',
      'DROP ROLE IF EXISTS apps',
      `CREATE ROLE apps LOGIN PASSWORD '${password}'`,
      'CREATE DATABASE apps OWNER apps',
      'REVOKE ALL ON DATABASE apps FROM PUBLIC',
    ];
    for (const sql of setUp) await postgres.query('postgres', ADMIN, sql);
    await postgres.query(username, password, 'CREATE TABLE seen (what text)', 'apps');
    await work(parts, activities, said);
  });
}

const act = (activities: Activities, { run }: FakeParts, which: RotationAct) =>
  activities.rotateSecret({ run, act: which, secret: QUEUE });

describe('the password of a role', { skip: home === undefined ? 'no PostgreSQL is installed' : false }, () => {
  before(async () => {
    if (home !== undefined) postgres = await startPostgres(home, ADMIN);
  });
  after(() => postgres.stop());

  test('is rotated twice, and no client that honours its Secret is refused', () =>
    withPlatform(async (parts, activities, said) => {
      const first = secretOf(parts);
      const clients = await withClients([first, first], write, async (...[early, late]) => {
        assert.ok(early && late);
        for (const expected of ['apps_b', 'apps']) {
          const before = secretOf(parts);
          await act(activities, parts, 'add');
          await act(activities, parts, 'write');
          const now = secretOf(parts);
          assert.equal(now.username, expected);
          assert.notEqual(now.password, before.password);
          // One pod starts anew; the other goes on with what it has read.
          early.login = now;
          await sleep(500);
          late.login = now;
          restartApi(parts, new Date(Date.now() + 2000).toISOString());
          await act(activities, parts, 'verify');
          // Logins that have begun end before the pod goes.
          await sleep(500);
          await act(activities, parts, 'revoke');
          await assert.rejects(
            postgres.query(before.username, before.password, 'SELECT 1', 'apps'),
            /password authentication failed/,
          );
          assert.equal(await postgres.query(now.username, now.password, 'SELECT current_user', 'apps'), 'apps');
          for (const value of [now.password, before.password, ADMIN])
            assert.ok(!said.join('\n').includes(value), 'a value stands in a command');
        }
        return [early, late];
      });
      assert.deepEqual(
        clients.map(({ failures }) => failures),
        [[], []],
      );
      const rows = await postgres.query('postgres', ADMIN, 'SELECT count(*) FROM seen', 'apps');
      const [early = 0, late = 0] = clients.map(({ logins }) => logins);
      assert.equal(Number(rows), early + late);
      assert.ok(early > 8, `${early} logins`);
      const owners = await postgres.query(
        'postgres',
        ADMIN,
        "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'",
        'apps',
      );
      assert.equal(owners, 'apps');
    }));

  test('of a superuser is rotated in the same way, and the declared one may still log in over the socket', () =>
    withPlatform(async (parts, activities, said) => {
      rotating(parts, { system: 'postgresql', server: 'cache', database: 'postgres', username: 'username' });
      await postgres.query('postgres', ADMIN, 'ALTER ROLE apps SUPERUSER');
      await withClients([secretOf(parts)], write, async (client) => {
        assert.ok(client);
        for (const expected of ['apps_b', 'apps']) {
          const before = secretOf(parts);
          for (const which of ['add', 'write'] as const) await act(activities, parts, which);
          const now = secretOf(parts);
          assert.equal(now.username, expected);
          await sleep(300);
          client.login = now;
          restartApi(parts, new Date(Date.now() + 2000).toISOString());
          await act(activities, parts, 'verify');
          await sleep(300);
          await act(activities, parts, 'revoke');
          await assert.rejects(
            postgres.query(before.username, before.password, 'SELECT 1'),
            /password authentication failed/,
          );
          const superusers = "SELECT count(*) FROM pg_roles WHERE rolsuper AND rolcanlogin AND rolname = 'apps'";
          assert.equal(await postgres.query(now.username, now.password, superusers), '1');
          await postgres.query(now.username, now.password, `CREATE TABLE by_${expected} ()`);
        }
        assert.deepEqual(client.failures, []);
        assert.ok(client.logins > 3, `${client.logins} logins`);
      });
      const owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE tablename LIKE 'by_apps%'";
      assert.equal(await postgres.query('postgres', ADMIN, owners), 'apps');
      await postgres.query('postgres', ADMIN, 'DROP TABLE by_apps, by_apps_b');
      const { password } = secretOf(parts);
      assert.ok(!said.join('\n').includes(password), 'a value stands in a command');
    }));

  test('what the twin makes belongs to the declared role', () =>
    withPlatform(async (parts, activities) => {
      for (const which of ['add', 'write', 'verify', 'revoke'] as const) {
        if (which === 'verify') restartApi(parts, new Date(Date.now() + 2000).toISOString());
        await act(activities, parts, which);
      }
      const { username, password } = secretOf(parts);
      await postgres.query(username, password, 'CREATE TABLE made (by_twin text)', 'apps');
      const owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'made'";
      assert.equal(await postgres.query('postgres', ADMIN, owner, 'apps'), 'apps');
    }));

  test('a server that takes any password is found out, and nothing is revoked', () =>
    withPlatform(async (parts, activities) => {
      await postgres.query(
        'postgres',
        ADMIN,
        "COPY (SELECT 'host all all 127.0.0.1/32 trust') TO PROGRAM 'cat > pg_hba.conf'",
      );
      await postgres.query('postgres', ADMIN, 'SELECT pg_reload_conf()');
      await assert.rejects(act(activities, parts, 'add'), /it takes any value at all/);
    }));
});
