/** The codec server: which requests it answers, from whom, and what it refuses. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { allowByCluster, allowByToken } from '../../../src/cli/codec/admission.ts';
import { type CodecServerOptions, createCodecServer } from '../../../src/cli/codec/http.ts';
import { sameOnLoopback } from '../../../src/cli/codec/serve.ts';
import { createCodec } from '../../../src/clients/temporal/encryption/codec.ts';
import { withNewKey } from '../../../src/clients/temporal/encryption/ring.ts';

const UI = 'http://127.0.0.1:8233';
const codecOf = () => {
  const { ring } = withNewKey(undefined, Date.now(), Date.now());
  return createCodec({ keys: { current: () => ring, refresh: () => Promise.resolve() }, encrypts: true });
};
const codec = codecOf();
const said: string[] = [];

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

async function serving(options: Partial<CodecServerOptions> = {}) {
  const server = createCodecServer({
    codec,
    namespace: 'ananta',
    origins: [UI],
    hosts: () => [`127.0.0.1:${(server.address() as AddressInfo).port}`],
    allow: allowByToken('s3cret'),
    say: (text) => said.push(text),
    ...options,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = (
    path: string,
    {
      method = 'POST',
      headers = {},
      body = '{"payloads":[]}',
    }: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const outgoing = send({ port, host: '127.0.0.1', path, method, headers }, (incoming) => {
        let text = '';
        incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }));
      });
      outgoing.on('error', reject);
      outgoing.end(method === 'POST' ? body : undefined);
    });
  return { ask, close: () => server.close() };
}

const wire = ({ metadata, data }: Payload): object => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  ),
  data: Buffer.from(data ?? []).toString('base64'),
});
const bodyOf = (...payloads: Payload[]): string => JSON.stringify({ payloads: payloads.map(wire) });

describe('codec server', () => {
  let server: Awaited<ReturnType<typeof serving>>;
  before(async () => {
    server = await serving();
  });
  after(() => {
    server.close();
    assert.deepEqual(said, []);
  });

  test('decrypts what the environment has encrypted, and leaves alone what is plain or of another key', async () => {
    const plain = defaultPayloadConverter.toPayload({ service: 'payments' });
    const [sealed] = await codec.encode([plain]);
    const [foreign] = await codecOf().encode([plain]);
    const { status, text } = await server.ask('/s3cret/decode', {
      headers: { origin: UI, 'x-namespace': 'ananta' },
      body: bodyOf(sealed as Payload, plain, foreign as Payload),
    });
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(text), { payloads: [wire(plain), wire(plain), wire(foreign as Payload)] });
  });

  test('encrypts what is sent from the UI', async () => {
    const plain = defaultPayloadConverter.toPayload({ verb: 'resume' });
    const { text } = await server.ask('/s3cret/encode', { body: bodyOf(plain) });
    assert.ok(!text.includes(Buffer.from('{"verb"').toString('base64').slice(0, 8)));
    const { text: again } = await server.ask('/s3cret/decode', { body: text });
    assert.deepEqual(JSON.parse(again), { payloads: [wire(plain)] });
  });

  test('answers nobody who does not know the token, and a bearer of it', async () => {
    assert.equal((await server.ask('/decode')).status, 401);
    assert.equal((await server.ask('/s3cre/decode')).status, 401);
    assert.equal((await server.ask('/decode', { headers: { authorization: 'Bearer wrong' } })).status, 401);
    assert.equal((await server.ask('/decode', { headers: { authorization: 'Bearer s3cret' } })).status, 200);
  });

  test('lets browsers ask on pages of the UI alone, also from a network to this machine', async () => {
    const asks = {
      'access-control-request-headers': 'content-type,x-namespace',
      'access-control-request-private-network': 'true',
    };
    const allowed = await server.ask('/s3cret/decode', { method: 'OPTIONS', headers: { origin: UI, ...asks } });
    assert.equal(allowed.status, 204);
    assert.equal(allowed.headers['access-control-allow-origin'], UI);
    assert.equal(allowed.headers['access-control-allow-headers'], 'content-type,x-namespace');
    assert.equal(allowed.headers['access-control-allow-private-network'], 'true');
    for (const method of ['OPTIONS', 'POST']) {
      const refused = await server.ask('/s3cret/decode', {
        method,
        headers: { origin: 'https://evil.example', ...asks },
      });
      assert.equal(refused.status, 403);
      assert.equal(refused.headers['access-control-allow-origin'], undefined);
    }
  });

  test('no other name leads here, whatever resolves to this machine', async () => {
    assert.equal((await server.ask('/s3cret/decode', { headers: { host: 'evil.example' } })).status, 421);
  });

  test('refuses what is no request for it', async () => {
    assert.equal((await server.ask('/s3cret/decode', { body: '{"payloads":[{"data":"%"}]}' })).status, 400);
    assert.equal((await server.ask('/s3cret/decode', { body: 'no json' })).status, 400);
    assert.equal((await server.ask('/s3cret/decode', { headers: { 'x-namespace': 'other' } })).status, 400);
    assert.equal((await server.ask('/s3cret/decode', { method: 'GET' })).status, 405);
    assert.equal((await server.ask('/s3cret')).status, 404);
    assert.equal((await server.ask('/s3cret/decode', { body: 'x'.repeat(17 * 1024 * 1024) })).status, 413);
  });
});

test('a UI on loopback is known by both of its names, as browsers send them', () => {
  assert.deepEqual(sameOnLoopback('http://localhost:8233/x'), ['http://localhost:8233', 'http://127.0.0.1:8233']);
  assert.deepEqual(sameOnLoopback('http://127.0.0.1'), ['http://127.0.0.1', 'http://localhost']);
  assert.deepEqual(sameOnLoopback('https://localhost:443'), ['https://localhost', 'https://127.0.0.1']);
  assert.deepEqual(sameOnLoopback('https://temporal.example.com'), ['https://temporal.example.com']);
});

describe('with the rights of the cluster', () => {
  const asked: string[] = [];
  const told: string[] = [];
  const allow = allowByCluster(
    { kubeconfig: '/nowhere', inCluster: false },
    (text) => told.push(text),
    (_cluster, token, { verb, resource, namespace }) => {
      asked.push(`${token} ${verb} ${resource} ${namespace ?? ''}`);
      if (token === 'down') return Promise.reject(new Error('the API server is away'));
      return Promise.resolve(token === 'viewer' ? (verb === 'list' ? 'allowed' : 'forbidden') : 'unknown');
    },
  );

  test('a viewer reads and does not write; a stranger does neither; each is asked for once', async () => {
    const server = await serving({ allow });
    const as = async (token: string | undefined, verb: string): Promise<number> =>
      (await server.ask(`/${verb}`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }))
        .status;
    assert.deepEqual(
      [await as('viewer', 'decode'), await as('viewer', 'decode'), await as('viewer', 'encode')],
      [200, 200, 403],
    );
    assert.deepEqual([await as('stranger', 'decode'), await as(undefined, 'decode')], [401, 401]);
    assert.deepEqual(asked, [
      'viewer list configmaps ananta-system',
      'viewer create configmaps ananta-system',
      'stranger list configmaps ananta-system',
    ]);
    assert.ok(!told.join().includes('viewer'), 'a token is told to nobody');
    server.close();
  });

  test('an API server that is away lets nobody in, and is asked again', async () => {
    const server = await serving({ allow });
    const headers = { authorization: 'Bearer down' };
    assert.deepEqual(
      [(await server.ask('/decode', { headers })).status, (await server.ask('/decode', { headers })).status],
      [500, 500],
    );
    assert.equal(asked.filter((line) => line.startsWith('down')).length, 2);
    server.close();
    said.length = 0;
  });
});
