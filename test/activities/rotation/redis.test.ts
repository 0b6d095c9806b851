/** The same with a real Redis: its default user has two passwords for as long as readers move. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { accessSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createActivities } from '../../../src/activities/index.ts';
import { eventually } from '../../support/eventually.ts';
import { withFakeClients } from '../../support/fakes/clients.ts';
import { freePort } from '../../support/programs/ports.ts';
import { inContainer } from '../../support/rotation/container.ts';
import { QUEUE, restartApi, rotating, seed, valueOf } from '../../support/rotation/sample.ts';
import { testScope } from '../../support/scope.ts';

const run = promisify(execFile);
const program = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) => {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
});
const PATH = '/usr/local/bin:/usr/bin:/bin';

describe('the password of Redis', { skip: program === undefined ? 'no Redis is installed' : false }, () => {
  let folder: string;
  let server: ChildProcess;
  let port: number;
  const say = async (password: string, ...command: string[]): Promise<string> => {
    const { stdout } = await run('redis-cli', ['-e', '--no-auth-warning', '-p', String(port), ...command], {
      env: { PATH, REDISCLI_AUTH: password },
    });
    return stdout.trim();
  };

  before(async () => {
    if (program === undefined) return;
    folder = await mkdtemp(join(tmpdir(), 'redis-'));
    port = await freePort();
    server = spawn(program, ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''], {
      stdio: 'ignore',
    });
    await eventually(async () => assert.equal(await say('', 'PING'), 'PONG'));
  });
  after(async () => {
    server.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  test('is rotated, and no client that honours its Secret is refused; the former one is', () =>
    withFakeClients(async (parts) => {
      rotating(parts, { system: 'redis', server: 'cache' });
      const said: string[] = [];
      parts.clients.kubernetes.exec = (_pod, _container, command, _signal, input = '') => {
        said.push(command.join(' '));
        return inContainer(command, input, { PATH, REDIS_PORT_NUMBER: String(port) });
      };
      const activities = createActivities(parts.clients, () => testScope());
      await seed(parts, activities);
      const act = (which: 'add' | 'write' | 'verify' | 'revoke') =>
        activities.rotateSecret({ run: parts.run, act: which, secret: QUEUE });
      await assert.rejects(act('add'), /it takes any value at all/);
      const former = valueOf(parts, QUEUE) ?? '';
      await say('', 'CONFIG', 'SET', 'requirepass', former);

      let [read, over, logins] = [former, false, 0];
      const failures: string[] = [];
      const client = (async () => {
        while (!over) {
          await sleep(50);
          await say(read, 'INCR', 'seen').then(
            () => (logins += 1),
            (error: unknown) => failures.push(String(error)),
          );
        }
      })();
      await act('add');
      await act('write');
      assert.equal(valueOf(parts, { path: QUEUE.path, key: 'username' }), 'apps');
      const next = valueOf(parts, QUEUE) ?? '';
      assert.notEqual(next, former);
      await sleep(200);
      read = next;
      restartApi(parts, '2099-01-01T00:00:00Z');
      await act('verify');
      await sleep(200);
      await act('revoke');
      await sleep(200);
      over = true;
      await client;
      assert.deepEqual(failures, []);
      assert.equal(Number(await say(next, 'GET', 'seen')), logins);
      await assert.rejects(say(former, 'PING'));
      for (const value of [former, next]) assert.ok(!said.join('\n').includes(value));
    }));
});
