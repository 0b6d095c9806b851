/**
 * One attempt to deliver a notification: where its values come from, which answers count as success, and what must not
 * appear in it.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { unguardedActivities } from '../../../src/activities/index.ts';
import type { Clients } from '../../../src/clients/index.ts';
import type { DeliveryAnswer, Notification } from '../../../src/contract/notifications.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { writeEnvironment } from '../../support/fakes/environment.ts';
import { type Answers, type Receiver, withReceiver } from '../../support/servers/receiver.ts';
import { testScope } from '../../support/scope.ts';

const NOTIFICATION: Notification = {
  id: 'msg_1',
  event: 'failure',
  environment: 'sandbox',
  operation: 'deploy',
  title: 'The deployment to sandbox failed',
  lines: ['web: no such image'],
  workflowId: 'deploy/sandbox/uid',
  runId: 'run-1',
  at: '2026-01-01T00:00:00.000Z',
};

interface Parts extends FakeParts {
  clients: Clients;
  receiver: Receiver;
  deliver: (target?: string) => Promise<DeliveryAnswer>;
}

async function withTarget(
  target: (parts: { url: string; folder: string }) => Record<string, unknown>,
  work: (parts: Parts) => Promise<void>,
  { variables = {}, timeoutSeconds = 5 }: { variables?: Record<string, string>; timeoutSeconds?: number } = {},
): Promise<void> {
  await withReceiver((receiver) =>
    withFakeClients(async (parts) => {
      const { folder, run } = parts;
      const { config } = parts.clients;
      const targets = { ops: target({ url: `${receiver.url}/hook`, folder }) };
      await writeEnvironment(config, folder, { notify: { timeoutSeconds, targets } });
      const clients = {
        ...parts.clients,
        config: { ...config, environmentsDir: folder, userEnv: { ...config.userEnv, ...variables } },
      };
      const { deliverNotification } = unguardedActivities(clients, () => testScope());
      const deliver: Parts['deliver'] = (name = 'ops') =>
        deliverNotification({ run, target: name, notification: NOTIFICATION });
      await work({ ...parts, clients, receiver, deliver });
    }),
  );
}

describe('one attempt', () => {
  test('is JSON with all that is known, and the answer says so', async () => {
    await withTarget(
      ({ url }) => ({ url }),
      async ({ deliver, receiver, folder }) => {
        assert.deepEqual(await deliver(), {
          delivered: true,
          text: `The webhook at ${new URL(receiver.url).host} answered 200`,
        });
        assert.deepEqual(JSON.parse(receiver.got[0]!.body), NOTIFICATION);
        assert.equal(receiver.got[0]?.headers['content-type'], 'application/json');
        assert.match(
          await readFile(join(folder, 'logs', 'notify.log'), 'utf8'),
          /failure: The deployment to sandbox failed\n {2}ops: The webhook at .* answered 200\n/,
        );
      },
    );
  });

  const ANSWERS: [name: string, answer: Answers, then: Omit<DeliveryAnswer, 'text'>, text: RegExp][] = [
    ['500', { status: 500, body: 'out of order' }, { delivered: false }, /answered 500: out of order$/],
    [
      '503 with seconds',
      { status: 503, headers: { 'retry-after': '30' } },
      { delivered: false, retryAfterSeconds: 30 },
      /answered 503$/,
    ],
    [
      '429 with seconds',
      { status: 429, headers: { 'retry-after': '7' } },
      { delivered: false, retryAfterSeconds: 7 },
      /answered 429$/,
    ],
    ['429 with nonsense', { status: 429, headers: { 'retry-after': 'soon' } }, { delivered: false }, /answered 429$/],
    ['404', { status: 404, body: 'no_service' }, { delivered: false, permanent: true }, /answered 404: no_service$/],
    [
      'a redirect',
      { status: 307, headers: { location: '/elsewhere' } },
      { delivered: false, permanent: true },
      /answered 307$/,
    ],
    ['closes', 'closes', { delivered: false }, /could not be reached \(.+\)$/],
  ];
  for (const [name, answer, then, text] of ANSWERS) {
    test(`answered: ${name}`, async () => {
      await withTarget(
        ({ url }) => ({ url }),
        async ({ deliver, receiver }) => {
          receiver.answers(answer);
          const { text: said, ...rest } = await deliver();
          assert.deepEqual(rest, then);
          assert.match(said, text);
          assert.equal(receiver.got.length, 1);
        },
      );
    });
  }

  test('a receiver that hangs is given up after timeoutSeconds', async () => {
    await withTarget(
      ({ url }) => ({ url }),
      async ({ deliver, receiver }) => {
        receiver.answers('hangs');
        const { text, ...rest } = await deliver();
        assert.deepEqual(rest, { delivered: false });
        assert.match(text, /could not be reached \(.*timeout/);
      },
      { timeoutSeconds: 0.3 },
    );
  });

  test('nobody at the address; a target that is no longer there', async () => {
    await withTarget(
      () => ({ url: 'http://127.0.0.1:1/hook' }),
      async ({ deliver }) => {
        const { text, ...rest } = await deliver();
        assert.deepEqual(rest, { delivered: false });
        assert.match(text, /The webhook at 127\.0\.0\.1:1 could not be reached \(.*(ECONNREFUSED|bad port)/);
        assert.deepEqual(await deliver('oops'), {
          delivered: false,
          permanent: true,
          text: "The environment's file names no target oops any more",
        });
      },
    );
  });
});

describe('values by reference', () => {
  const TOKEN = 'T0123456/B0123456/abcdefghijklmnop';

  test('of a file, a variable and a Secret: address, headers and key, none of which is ever told', async () => {
    await withTarget(
      ({ folder }) => ({
        url: { file: join(folder, 'url') },
        headers: { env: 'CHAT_HEADERS' },
        signingKey: { secret: { name: 'chat', key: 'signing.key' } },
        format: 'slack',
      }),
      async ({ deliver, receiver, folder, cluster, clients }) => {
        await writeFile(join(folder, 'url'), `${receiver.url}/services/${TOKEN}\n`);
        cluster.objects.set('/api/v1/namespaces/ananta-deployer/secrets/chat', {
          metadata: { name: 'chat', uid: '1', resourceVersion: '1' },
          data: { 'signing.key': Buffer.from('key-that-nobody-sees').toString('base64') },
        });
        receiver.answers({ status: 403, body: `/services/${TOKEN} Bearer of-the-chat key-that-nobody-sees` });
        const { text } = await deliver();
        const [{ headers, body, path }] = receiver.got as [Receiver['got'][number]];
        assert.equal(path, `/services/${TOKEN}`);
        assert.equal(headers['authorization'], 'Bearer of-the-chat');
        const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
        assert.equal(
          headers['webhook-signature'],
          `v1,${createHmac('sha256', 'key-that-nobody-sees').update(signed).digest('base64')}`,
        );
        assert.equal(headers['webhook-id'], 'msg_1');
        const log = await readFile(join(folder, 'logs', 'notify.log'), 'utf8');
        for (const secret of [TOKEN, 'abcdefghijklmnop', 'of-the-chat', 'key-that-nobody-sees'])
          for (const told of [text, log]) assert.ok(!told.includes(secret), `${secret} in ${told}`);
        // Nor in anything else that the worker logs.
        assert.equal(clients.redactor.redact('to abcdefghijklmnop'), 'to [redacted]');
      },
      { variables: { CHAT_HEADERS: 'Authorization: Bearer of-the-chat' } },
    );
  });

  const MISSING: [name: string, reference: object, text: RegExp][] = [
    [
      'file',
      { file: '/nowhere/url' },
      /notify\.targets\.ops\.url \/nowhere\/url cannot be read where the worker runs \(ENOENT\)/,
    ],
    [
      'variable',
      { env: 'NOT_THERE_AT_ALL' },
      /notify\.targets\.ops\.url \(variable NOT_THERE_AT_ALL of the worker's environment\) is not there/,
    ],
    ['Secret', { secret: { name: 'chat', key: 'url' } }, /\(key url of Secret ananta-deployer\/chat\) is not there/],
    ['variable that is empty', { env: 'EMPTY_ONE' }, /\(variable EMPTY_ONE .*\) is empty/],
    [
      'variable without an address',
      { env: 'NO_ADDRESS' },
      /ops\.url: what is there is no address such as https:\/\/HOST\/PATH/,
    ],
  ];
  for (const [name, url, text] of MISSING) {
    test(`a ${name}: told without trying again, and without the value`, async () => {
      await withTarget(
        () => ({ url }),
        async ({ deliver }) => {
          const answer = await deliver();
          assert.match(answer.text, text);
          assert.equal(answer.permanent, true);
          assert.ok(!answer.text.includes('xoxb-9'));
        },
        { variables: { EMPTY_ONE: ' ', NO_ADDRESS: 'xoxb-9-no-url' } },
      );
    });
  }

  test('a path of Vault is read by the deployer; while Vault is away it is worth another try', async () => {
    await withTarget(
      () => ({ url: { vault: { path: 'ops/chat', key: 'url' } } }),
      async ({ deliver, receiver, clients, run, vault }) => {
        const away = await deliver();
        assert.equal(away.permanent, undefined, away.text);
        assert.equal(receiver.got.length, 0);
        const { openVault, configureVault } = unguardedActivities(clients, () => testScope());
        await openVault(run);
        await configureVault(run);
        vault.kv.set('ops/chat', {
          versions: [{ data: { url: `${receiver.url}/hook` }, created_time: '2026-01-01', deletion_time: '' }],
        });
        assert.equal((await deliver()).delivered, true);
        assert.equal(receiver.got[0]?.path, '/hook');
      },
    );
  });
});

describe('links with which a question is answered', () => {
  const ASKS = {
    kind: 'question',
    service: 'web',
    since: '2026-01-01T00:00:00Z',
    until: '2999-01-01',
    then: 'stop',
  } as const;
  const QUESTION: Notification = { ...NOTIFICATION, event: 'question', asks: ASKS };
  const KEY = 'k'.repeat(40);

  async function told(
    links: object | undefined,
    target: Record<string, unknown>,
    key = KEY,
  ): Promise<{ body: string; text: string }> {
    let found = { body: '', text: '' };
    await withReceiver((receiver) =>
      withFakeClients(async ({ clients, folder, run }) => {
        const targets = { ops: 'command' in target ? target : { url: `${receiver.url}/hook`, ...target } };
        await writeEnvironment(clients.config, folder, { notify: { ...(links ? { links } : {}), targets } });
        const config = { ...clients.config, environmentsDir: folder, userEnv: { ANSWER_KEY: key } };
        const { deliverNotification } = unguardedActivities({ ...clients, config }, () => testScope());
        const { text } = await deliverNotification({ run, target: 'ops', notification: QUESTION });
        found = { body: receiver.got[0]?.body ?? '', text };
      }),
    );
    return found;
  }
  const LINKS = { url: 'https://answers.example', key: { env: 'ANSWER_KEY' }, listen: '127.0.0.1:8444' };

  test('go to targets that want them', async () => {
    const { body } = await told(LINKS, { links: true });
    const { answers, asks } = JSON.parse(body) as { answers: { answer: string; url: string }[]; asks?: unknown };
    assert.deepEqual([answers.length, asks], [5, undefined]);
    assert.ok(answers[0]?.url.startsWith('https://answers.example/answer/'));
  });

  test('are hidden in what comes back, which is kept: also where it is cut, or written in another way', async () => {
    const echo = 'sed -e "p;s#/#%2F#g"';
    const { text } = await told(LINKS, { command: ['/bin/sh', '-c', echo], links: true });
    assert.match(text, /answers\.example\/answer\/…/);
    assert.match(text, /%2Fanswer%2F[A-Za-z0-9_-]+\.\[redacted\]/);
    assert.doesNotMatch(text, /answer\/[A-Za-z0-9]|\.[A-Za-z0-9_-]{43}/);
  });

  test('go to nobody else; a key that cannot be had keeps nobody from being asked', async () => {
    assert.doesNotMatch((await told(LINKS, {})).body, /answers/);
    assert.match(
      (await told(LINKS, { links: true }, 'short')).body,
      /It cannot be answered by a link: .*shorter than 32/,
    );
    assert.match((await told(LINKS, { links: true }, '')).body, /It cannot be answered by a link: .*ANSWER_KEY/);
  });
});
