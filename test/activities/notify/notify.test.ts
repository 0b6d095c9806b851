import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { headersOf } from '../../../src/clients/headers-file.ts';
import { type Notification } from '../../../src/contract/notifications.ts';
import type { Clients } from '../../../src/clients/index.ts';
import type { NotifyInput } from '../../../src/contract/activities.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { writeEnvironment } from '../../support/fakes/environment.ts';
import { testScope } from '../../support/scope.ts';
import { unguardedActivities } from '../../../src/activities/index.ts';

type Parts = FakeParts & { tell: (more?: Partial<NotifyInput>) => Promise<{ sent: boolean }>; clients: Clients };

/** An environment file of its own, on top of the sandbox's. */
async function withNotify(
  how: (folder: string) => Record<string, unknown>,
  work: (parts: Parts) => Promise<void>,
): Promise<void> {
  await withFakeClients(async (parts) => {
    const { folder } = parts;
    const { config } = parts.clients;
    await writeEnvironment(config, folder, { notify: { timeoutSeconds: 5, ...how(folder) } });
    const clients = { ...parts.clients, config: { ...config, environmentsDir: folder } };
    const tell: Parts['tell'] = (more = {}) =>
      unguardedActivities(clients, () => testScope()).notify({
        run: parts.run,
        event: 'drift',
        title: 'Drift',
        lines: ['one'],
        ...more,
      });
    await work({ ...parts, clients, tell });
  });
}

/** A program that appends its standard input to a file. */
const keeper = (folder: string): string[] => [
  'sh',
  '-c',
  `cat >> ${join(folder, 'calls')}; echo >> ${join(folder, 'calls')}; echo "said to $HOME$SECRET_OF_THE_WORKER"`,
];
const calls = async (folder: string): Promise<Notification[]> =>
  (await readFile(join(folder, 'calls'), 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Notification);

describe('notify', () => {
  test('without command and webhook nobody is told', async () => {
    await withNotify(
      () => ({}),
      async ({ tell, cluster }) => {
        assert.deepEqual(await tell({ about: ['a'] }), { sent: false });
        assert.equal([...cluster.objects.keys()].filter((key) => key.includes('drift-')).length, 0);
      },
    );
  });

  test('the command gets one JSON object on standard input, and nothing of the surroundings of the worker', async () => {
    process.env['SECRET_OF_THE_WORKER'] = 'leaked-value';
    try {
      await withNotify(
        (folder) => ({ command: keeper(folder) }),
        async ({ tell, folder, clients }) => {
          clients.redactor.learn('correct horse');
          assert.deepEqual(await tell({ title: 'Drift of correct horse', lines: ['is correct horse'] }), {
            sent: true,
          });
          const [call] = await calls(folder);
          assert.deepEqual(
            { ...call, at: '' },
            {
              event: 'drift',
              environment: 'sandbox',
              title: 'Drift of [redacted]',
              lines: ['is [redacted]'],
              workflowId: 'deploy/sandbox/uid',
              runId: 'run-1',
              at: '',
            },
          );
          assert.ok(Math.abs(Date.parse(call!.at) - Date.now()) < 60_000);
          const log = join(folder, 'logs', 'notify.log');
          assert.match(await readFile(log, 'utf8'), /drift: Drift of \[redacted\]\n  sh ended well:\n  said to /);
          assert.doesNotMatch(await readFile(log, 'utf8'), /leaked-value/);
          assert.equal((await stat(log)).mode & 0o777, 0o600);
        },
      );
    } finally {
      delete process.env['SECRET_OF_THE_WORKER'];
    }
  });

  test('the same findings are told once, others again, and the same again after a clean run', async () => {
    await withNotify(
      (folder) => ({ command: keeper(folder) }),
      async ({ tell, folder, clients, run }) => {
        const told: boolean[] = [];
        for (const about of [['a', 'b'], ['b', 'a'], ['a'], ['a']]) told.push((await tell({ about })).sent);
        const clean = unguardedActivities(clients, () => testScope()).recordDrift;
        await clean({ run, outcome: 'clean', attempted: [], findings: 0, repaired: 0, flapping: 0, seconds: 1 });
        told.push((await tell({ about: ['a'] })).sent);
        assert.deepEqual(told, [true, false, true, false, true]);
        assert.equal((await calls(folder)).length, 3);
      },
    );
  });

  test('a command that fails is an error with its output, and is not counted as told', async () => {
    await withNotify(
      () => ({ command: ['sh', '-c', 'echo no such channel >&2; exit 7'] }),
      async ({ tell }) => {
        await assert.rejects(tell({ about: ['a'] }), /The command sh ended with 7:\nno such channel/);
        await assert.rejects(tell({ about: ['a'] }), /ended with 7/);
      },
    );
    await withNotify(
      () => ({ command: ['/nowhere/at/all'] }),
      async ({ tell }) => {
        await assert.rejects(tell(), /The command \/nowhere\/at\/all .*ENOENT/);
      },
    );
  });

  test('a command that hangs is ended', async () => {
    await withNotify(
      () => ({ command: ['sleep', '60'], timeoutSeconds: 0.3 }),
      async ({ tell }) => {
        await assert.rejects(tell(), /was ended after 0\.3 s/);
      },
    );
  });

  test('the webhook gets the same by POST, with the headers of the file, whose values never come back', async () => {
    const got: { body: string; authorization: string | undefined }[] = [];
    let status = 200;
    const server = createServer((request, response) => {
      void (async () => {
        let body = '';
        for await (const chunk of request) body += String(chunk);
        got.push({ body, authorization: request.headers.authorization });
        response
          .writeHead(status, status === 307 ? { location: '/elsewhere' } : {})
          .end(`you sent ${request.headers.authorization ?? ''}`);
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    try {
      await withNotify(
        (folder) => ({ webhook, headersFile: join(folder, 'headers') }),
        async ({ tell, folder, clients }) => {
          await writeFile(join(folder, 'headers'), '# of the chat\nAuthorization: Bearer token-of-the-chat\n');
          await tell();
          assert.deepEqual(
            [got[0]?.authorization, (JSON.parse(got[0]!.body) as Notification).title],
            ['Bearer token-of-the-chat', 'Drift'],
          );
          status = 403;
          await assert.rejects(
            tell(),
            (error) =>
              /answered 403/.test(String(error)) &&
              !clients.redactor.redact(String(error)).includes('token-of-the-chat'),
          );
          assert.doesNotMatch(await readFile(join(folder, 'logs', 'notify.log'), 'utf8'), /token-of-the-chat/);
          status = 307;
          const asked = got.length;
          await assert.rejects(tell(), /answered 307/);
          assert.equal(got.length, asked + 1, 'the headers went elsewhere');
        },
      );
    } finally {
      server.close();
    }
  });

  test('a webhook is signed, in the form of its receiver, and known again when it is told once more', async () => {
    const key = 'key-that-nobody-sees';
    const got: { headers: IncomingHttpHeaders; body: string }[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        got.push({ headers: request.headers, body });
        response.writeHead(got.length === 1 ? 500 : 204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    try {
      await withNotify(
        (folder) => ({ webhook, format: 'slack', signingKeyFile: join(folder, 'key') }),
        async ({ folder, tell }) => {
          await writeFile(join(folder, 'key'), `${key}\n`);
          await assert.rejects(tell(), /answered 500/);
          await tell();
          for (const { headers, body } of got) {
            const [id, at] = [headers['webhook-id'], headers['webhook-timestamp']].map(String);
            const signature = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64');
            assert.equal(headers['webhook-signature'], `v1,${signature}`);
            assert.ok(Math.abs(Number(at) * 1000 - Date.now()) < 60_000);
            assert.equal((JSON.parse(body) as { text: string }).text, 'Drift');
          }
          assert.equal(got[0]?.headers['webhook-id'], got[1]?.headers['webhook-id']);
          assert.doesNotMatch(await readFile(join(folder, 'logs', 'notify.log'), 'utf8'), new RegExp(key));
          await writeFile(join(folder, 'key'), ' ');
          await assert.rejects(tell(), /signingKeyFile .* is empty/);
        },
      );
    } finally {
      server.close();
    }
  });

  test('headers: a line without a name is refused without being repeated', () => {
    assert.deepEqual(headersOf('A: b\n\nX-Y:  c:d \n', 'notify.headersFile'), { A: 'b', 'X-Y': 'c:d' });
    assert.throws(
      () => headersOf('token-of-the-chat', 'notify.headersFile'),
      (error) => !String(error).includes('token-of-the-chat'),
    );
  });
});
