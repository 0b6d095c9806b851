/**
 * The password of a user of MongoDB. Its server is in no package registry: what is said to its shell is carried out by
 * a stand-in that keeps users as MongoDB does and refuses what it refuses.
 */
import assert from 'node:assert/strict';
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { createActivities } from '../../../src/activities/index.ts';
import type { RotationAct } from '../../../src/contract/operations/secret-name.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { type Login, readSecret } from '../../support/rotation/clients.ts';
import { inContainer } from '../../support/rotation/container.ts';
import { QUEUE, restartApi, rotating, seed, setTo } from '../../support/rotation/sample.ts';
import { testScope } from '../../support/scope.ts';

const ROOT = 'the-root-password';
const ROLES = [{ role: 'dbOwner', db: 'novu' }];

type Users = Record<string, Record<string, { pwd: string; roles: unknown[] }>>;

interface Server {
  users: () => Promise<Users>;
  set: (users: Users) => Promise<void>;
  act: (act: RotationAct) => Promise<unknown>;
  said: string[];
}

async function withServer(work: (parts: FakeParts, server: Server) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mongosh-'));
  const file = join(folder, 'users.json');
  try {
    await copyFile(join(import.meta.dirname, '../../support/rotation/mongosh.mjs'), join(folder, 'mongosh'));
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    await chmod(join(folder, 'mongosh'), 0o755);
    await withFakeClients(async (parts) => {
      rotating(parts, {
        system: 'mongodb',
        server: 'cache',
        database: 'novu',
        username: 'username',
        admin: { path: 'stores/cache', key: 'redis-password' },
      });
      const said: string[] = [];
      parts.clients.kubernetes.exec = (_pod, _container, command, _signal, input = '') => {
        said.push(command.join(' '));
        const path = `${folder}:${dirname(process.execPath)}:/usr/bin:/bin`;
        return inContainer(command, input, { PATH: path, MONGO_USERS: file });
      };
      const activities = createActivities(parts.clients, () => testScope());
      await seed(parts, activities);
      setTo(parts, { path: 'stores/cache', key: 'redis-password' }, ROOT);
      await activities.syncSecrets(parts.run);
      await work(parts, {
        users: async () => JSON.parse(await readFile(file, 'utf8')) as Users,
        set: (users) => writeFile(file, JSON.stringify(users)),
        act: (act) => activities.rotateSecret({ run: parts.run, act, secret: QUEUE }),
        said,
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const asMade = ({ username, password }: Login): Users => ({
  admin: { root: { pwd: ROOT, roles: ['root'] } },
  novu: { [username]: { pwd: password, roles: ROLES } },
});

describe('the password of a user of MongoDB', () => {
  test('is rotated twice: each has the roles of the one before, which is good until it is dropped', () =>
    withServer(async (parts, { users, set, act, said }) => {
      await set(asMade(readSecret(parts)));
      for (const expected of ['apps_b', 'apps']) {
        const former = readSecret(parts);
        await act('add');
        assert.equal((await users())['novu']?.[former.username]?.pwd, former.password);
        await act('write');
        const now = readSecret(parts);
        assert.equal(now.username, expected);
        assert.equal((await users())['novu']?.[former.username]?.pwd, former.password);
        restartApi(parts, new Date(Date.now() + 2000).toISOString());
        await act('verify');
        await act('revoke');
        assert.deepEqual((await users())['novu'], { [expected]: { pwd: now.password, roles: ROLES } });
        for (const value of [former.password, now.password, ROOT])
          assert.ok(!said.join('\n').includes(value), 'a value stands in a command');
      }
    }));

  test('is not begun where nobody has the declared name', () =>
    withServer(async (parts, { set, act }) => {
      const { password } = readSecret(parts);
      await set(asMade({ username: 'somebody-else', password }));
      await assert.rejects(act('add'), /there is no user apps in novu, whose roles the next one would get/);
    }));

  test('a server that refuses its administrator is no verdict on the password: it is tried again', () =>
    withServer(async (parts, { set, act }) => {
      await set({ ...asMade(readSecret(parts)), admin: { root: { pwd: 'another', roles: ['root'] } } });
      await assert.rejects(act('add'), /the server's own client ended with 1: MongoServerError: Authentication failed/);
    }));
});
