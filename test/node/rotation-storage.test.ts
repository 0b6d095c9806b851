/**
 * Keys of MinIO are rotated while a client logs in ten times a second with what its Secret holds. Vault and cluster are
 * fakes, server and client are the real ones, as in their image.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createActivities } from '../../src/activities/index.ts';
import type { RotationSystem } from '../../src/catalog/schema.ts';
import { readConfig } from '../../src/config.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { RotationAct } from '../../src/contract/operations/secret-name.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { unpackedMinio } from '../support/programs/minio.ts';
import { type Login, readSecret, withClients } from '../support/rotation/clients.ts';
import { inContainer } from '../support/rotation/container.ts';
import { RefusedLogin, type RotatingMinio, startRotatingMinio } from '../support/rotation/minio.ts';
import { QUEUE, restartApi, rotating, seed, setTo } from '../support/rotation/sample.ts';
import { testScope } from '../support/scope.ts';

const run = promisify(execFile);
const ROOT: Login = { username: 'main-root', password: 'the-root-password' };
const USER: RotationSystem = {
  system: 'minio',
  server: 'cache',
  username: 'username',
  admin: { path: 'stores/cache', key: 'redis-password', username: 'root' },
};
const POLICY = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['s3:ListBucket'], Resource: ['arn:aws:s3:::documents'] }],
};

const USERS_ALONE = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: ['admin:CreateUser', 'admin:DeleteUser', 'admin:GetUser', 'admin:AttachUserOrGroupPolicy'],
    },
  ],
};

let folder: string;
let path: string;
let minio: RotatingMinio;

/** As the bucket Job and operators do. */
async function mc({ username, password }: Login, ...args: string[]): Promise<string> {
  const { stdout } = await run('mc', ['--json', ...args], {
    env: {
      PATH: path,
      MC_CONFIG_DIR: join(folder, 'mc'),
      MC_HOST_server: `http://${username}:${password}@127.0.0.1:${minio.port}`,
    },
  });
  return stdout;
}

/** What was said to the server, and the values that must not be among it. */
async function withPlatform(
  rotation: RotationSystem,
  work: (parts: FakeParts, act: (which: RotationAct) => Promise<unknown>, said: string[]) => Promise<void>,
): Promise<void> {
  await withFakeClients(async (parts) => {
    const cache = parts.clients.catalog.secretPaths.find((each) => each.path === 'stores/cache');
    cache?.keys.push({ kind: 'fixed', name: 'root', value: ROOT.username });
    rotating(parts, rotation);
    const said: string[] = [];
    parts.clients.kubernetes.exec = (_pod, _container, command, _signal, input = '') => {
      said.push(command.join(' '));
      return inContainer(command, input, { PATH: path, HOME: folder, MINIO_API_PORT_NUMBER: String(minio.port) });
    };
    const activities: Activities = createActivities(parts.clients, () => testScope());
    await seed(parts, activities);
    setTo(parts, { path: 'stores/cache', key: 'redis-password' }, ROOT.password);
    await activities.syncSecrets(parts.run);
    await work(parts, (act) => activities.rotateSecret({ run: parts.run, act, secret: QUEUE }), said);
  });
}

const login = (as: Login): Promise<string[]> => minio.buckets(as);

describe('keys of MinIO', () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rotation-minio-'));
    const [program, client] = await unpackedMinio(readConfig());
    path = `${dirname(client)}:/usr/bin:/bin`;
    minio = await startRotatingMinio(program, folder, ROOT);
  });
  after(async () => {
    await minio.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('of an application: no client that honours its Secret is refused, its policies and groups move with it', () =>
    withPlatform(USER, async (parts, act, said) => {
      const first = readSecret(parts);
      await mc(ROOT, 'mb', 'server/documents');
      await mc(ROOT, 'admin', 'user', 'add', 'server', first.username, first.password);
      await writeFile(join(folder, 'policy.json'), JSON.stringify(POLICY));
      await mc(ROOT, 'admin', 'policy', 'create', 'server', 'applications', join(folder, 'policy.json'));
      await mc(ROOT, 'admin', 'policy', 'attach', 'server', 'applications', '--user', first.username);
      for (const group of ['readers', 'writers'])
        await mc(ROOT, 'admin', 'group', 'add', 'server', group, first.username);
      await withClients([first], login, async (client) => {
        assert.ok(client);
        for (const expected of ['apps-b', 'apps']) {
          const former = readSecret(parts);
          await act('add');
          await act('write');
          const now = readSecret(parts);
          assert.equal(now.username, expected);
          await sleep(300);
          client.login = now;
          restartApi(parts, new Date(Date.now() + 2000).toISOString());
          await act('verify');
          await sleep(300);
          await act('revoke');
          await assert.rejects(login(former), RefusedLogin);
          assert.deepEqual(await login(now), ['documents']);
          const info = await mc(ROOT, 'admin', 'user', 'info', 'server', now.username);
          for (const name of ['"applications"', '"readers"', '"writers"'])
            assert.ok(info.includes(name), `${name}: ${info}`);
          for (const value of [former.password, now.password, ROOT.password])
            assert.ok(!said.join('\n').includes(value), 'a value stands in a command');
        }
        assert.deepEqual(client.failures, []);
        assert.ok(client.logins > 4, `${client.logins} logins`);
      });

      await mc(ROOT, 'admin', 'user', 'svcacct', 'add', 'server', 'apps', '--access-key', 'somebodys');
      await assert.rejects(act('add'), /something else depends on the former one: access keys of apps: somebodys/);
      assert.deepEqual(await login(readSecret(parts)), ['documents']);
      // An administrator who may not look at them.
      const limited = { username: 'limited', password: 'limited-password' };
      await mc(ROOT, 'admin', 'user', 'add', 'server', limited.username, limited.password);
      await writeFile(join(folder, 'limited.json'), JSON.stringify(USERS_ALONE));
      await mc(ROOT, 'admin', 'policy', 'create', 'server', 'users-alone', join(folder, 'limited.json'));
      await mc(ROOT, 'admin', 'policy', 'attach', 'server', 'users-alone', '--user', limited.username);
      setTo(parts, { path: 'stores/cache', key: 'root' }, limited.username);
      setTo(parts, { path: 'stores/cache', key: 'redis-password' }, limited.password);
      await assert.rejects(act('add'), /ended with 1: .*AccessDenied/s);
      await mc(ROOT, 'admin', 'user', 'svcacct', 'rm', 'server', 'somebodys');
    }));

  test('of root: both are administrators until the server has restarted with the new one', () =>
    withPlatform({ system: 'minio', server: 'cache', username: 'username' }, async (parts, act) => {
      await minio.restart(readSecret(parts));
      await withClients([readSecret(parts)], login, async (client) => {
        assert.ok(client);
        for (const expected of ['apps-b', 'apps']) {
          const former = readSecret(parts);
          await act('add');
          await act('write');
          const now = readSecret(parts);
          assert.equal(now.username, expected);
          await sleep(300);
          client.login = now;
          // What the restart of its pod is; a client that finds nobody there was not refused.
          restartApi(parts, new Date(Date.now() + 2000).toISOString());
          await act('verify');
          await assert.rejects(act('revoke'), /it still takes the former value/);
          await minio.restart(now);
          await act('revoke');
          await assert.rejects(login(former), RefusedLogin);
          assert.match(await mc(now, 'admin', 'info', 'server'), /"status": *"success"/);
        }
        assert.deepEqual(
          client.failures.filter((failure) => !/fetch failed|503/.test(failure)),
          [],
        );
        assert.ok(client.logins > 4, `${client.logins} logins`);
      });
    }));
});
