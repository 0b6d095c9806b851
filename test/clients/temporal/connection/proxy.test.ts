/** An engine elsewhere is reached through the environment's proxy by the client and by the worker, or by neither. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { NativeConnection } from '@temporalio/worker';
import {
  closeConnection,
  engineConnectionOptions,
  openConnection,
  whyUnreachable,
} from '../../../../src/clients/temporal/connection/connect.ts';
import { engineProxy } from '../../../../src/clients/temporal/connection/proxy.ts';
import { proxiesOf } from '../../../../src/process/proxies.ts';

/** A name that nobody resolves: only the proxy knows where it leads. */
const ELSEWHERE = 'engine.example.invalid:7233';

describe('which way', () => {
  const cases: [address: string, env: Record<string, string>, proxy: object | undefined][] = [
    [ELSEWHERE, {}, undefined],
    [ELSEWHERE, { HTTPS_PROXY: 'http://p:3128' }, { targetHost: 'p:3128' }],
    [ELSEWHERE, { https_proxy: 'p' }, { targetHost: 'p:80' }],
    [ELSEWHERE, { https_proxy: 'http://[fd00::1]:3128' }, { targetHost: '[fd00::1]:3128' }],
    [ELSEWHERE, { http_proxy: 'http://p:3128', ALL_PROXY: 'http://p:3128' }, undefined],
    [
      ELSEWHERE,
      { https_proxy: 'http://me:a%20b@p:3128' },
      { targetHost: 'p:3128', basicAuth: { username: 'me', password: 'a b' } },
    ],
    [ELSEWHERE, { https_proxy: 'http://p:3128', no_proxy: '.example.invalid' }, undefined],
    [ELSEWHERE, { https_proxy: 'http://p:3128', NO_PROXY: '*.invalid' }, undefined],
    // gRPC's own reading of the variables would connect directly.
    ['anexample.org:7233', { https_proxy: 'http://p:3128', no_proxy: 'example.org' }, { targetHost: 'p:3128' }],
    ['127.0.0.1:7233', { https_proxy: 'http://p:3128' }, undefined],
    ['localhost:7233', { https_proxy: 'http://p:3128' }, undefined],
    ['[::1]:7233', { https_proxy: 'http://p:3128' }, undefined],
  ];
  for (const [address, env, expected] of cases)
    test(`${address} ${JSON.stringify(env)}`, () => {
      const found = engineProxy({ address, proxies: proxiesOf(env) });
      assert.deepEqual(found, expected && { type: 'http-connect', ...expected });
    });

  for (const [proxy, why] of [
    ['https://p:3128', /begins with https:\/\/, and gRPC goes through http:\/\/ only/],
    ['socks5://p:1080', /begins with socks5:/],
    ['http://me:se%3Acret@p:3128', /name or password holds/],
    ['http://me:se%zzcret@p:3128', /percent-encoded/],
    ['http://me:secret@p q', /no address/],
  ] as const)
    test(`refused by its kind, without what it holds: ${proxy}`, () => {
      assert.throws(
        () => engineProxy({ address: ELSEWHERE, proxies: proxiesOf({ https_proxy: proxy }) }),
        (error: Error & { next?: string[] }) =>
          error.name === 'EngineAccessError' &&
          why.test(error.message) &&
          /NO_PROXY/.test(error.next?.join() ?? '') &&
          !/se.{0,3}cret/.test(error.message),
      );
    });
});

describe('over a proxy that asks for a password', { concurrency: 1 }, () => {
  const server = new grpc.Server();
  let enginePort = 0;
  let asked: [target: string | undefined, login: string | undefined][] = [];
  const proxy = createServer().on('connect', (request, socket) => {
    asked.push([request.url, request.headers['proxy-authorization']]);
    const way = connect(enginePort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(way).pipe(socket);
    });
    for (const end of [way, socket]) end.on('error', () => way.destroy());
  });
  let environment: Record<string, string>;
  before(async () => {
    const bytes = (value: Buffer): Buffer => value;
    server.register(
      '/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo',
      (_call: unknown, answer: grpc.sendUnaryData<Buffer>) => answer(null, Buffer.alloc(0)),
      bytes,
      bytes,
      'unary',
    );
    enginePort = await new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    environment = { https_proxy: `http://me:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  });
  after(() => {
    server.forceShutdown();
    proxy.closeAllConnections();
    proxy.close();
  });
  const LOGIN = `Basic ${Buffer.from('me:secret').toString('base64')}`;

  /** As the CLI, as whoever asks why, and as a worker connect. */
  const WAYS: Record<string, (engine: Parameters<typeof openConnection>[0]) => Promise<unknown>> = {
    client: async (engine) => closeConnection(await openConnection(engine, 5)),
    question: async (engine) => {
      const problem = await whyUnreachable(engine);
      if (problem !== undefined) throw problem as Error;
    },
    worker: async (engine) => (await NativeConnection.connect(await engineConnectionOptions(engine))).close(),
  };
  for (const [name, use] of Object.entries(WAYS)) {
    test(`${name}: an engine elsewhere`, async () => {
      asked = [];
      await use({ address: ELSEWHERE, namespace: 'n', proxies: proxiesOf(environment) });
      assert.ok(asked.length > 0);
      for (const one of asked) assert.deepEqual(one, [ELSEWHERE, LOGIN]);
    });

    test(`${name}: an engine on this machine, and one in NO_PROXY, are reached straight`, async () => {
      asked = [];
      await use({ address: `127.0.0.1:${enginePort}`, namespace: 'n', proxies: proxiesOf(environment) });
      await use({
        address: `localhost:${enginePort}`,
        namespace: 'n',
        proxies: proxiesOf({ ...environment, no_proxy: 'localhost' }),
      }).catch(() => undefined);
      assert.deepEqual(asked, []);
    });
  }
});
