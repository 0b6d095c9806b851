/**
 * The way to Vault's pods when much is asked at once and the machine is slow: what waits its turn is not taken for
 * unanswered.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { describe, test } from 'node:test';
import { createTunnel, type Tunnel } from '../../../src/clients/vault/tunnel.ts';

/** A tunnel to a server of this process, and the number of connections that were opened. */
async function withServer(
  answer: http.RequestListener,
  work: (tunnel: Tunnel, opened: () => number) => Promise<void>,
): Promise<void> {
  const server = http.createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as net.AddressInfo;
  let opened = 0;
  const pod = { metadata: { name: 'vault-0', uid: 'p', resourceVersion: '1' }, status: { phase: 'Running' } };
  const tunnel = createTunnel(
    {
      list: () => Promise.resolve({ metadata: { resourceVersion: '1' }, items: [pod] }),
      connect: () => {
        opened += 1;
        return Promise.resolve(net.connect(port, '127.0.0.1'));
      },
    },
    { namespace: 'vault-system', release: 'vault', port: 8200 },
  );
  try {
    await work(tunnel, () => opened);
  } finally {
    tunnel.close();
    server.closeAllConnections();
    server.close();
  }
}

const get = (tunnel: Tunnel, path: string, timeoutSeconds: number): Promise<{ status: number; body: string }> =>
  tunnel.request({ method: 'GET', path, headers: {}, timeoutSeconds });

describe('requests to Vault through the port-forward', () => {
  test('many at once on few connections: each waits for its turn, however long all of them take', async () => {
    await withServer(
      (_request, response) => {
        setTimeout(() => response.end('{}'), 100);
      },
      async (tunnel, opened) => {
        const started = performance.now();
        const answers = await Promise.all(Array.from({ length: 30 }, (_, at) => get(tunnel, `/v1/${at}`, 0.5)));
        assert.ok(performance.now() - started > 900, 'they were not asked one behind the other');
        assert.deepEqual(
          answers.filter(({ status }) => status !== 200),
          [],
        );
        assert.equal(opened(), 3);
      },
    );
  });

  test('nobody is answered: all give up after the same time', async () => {
    await withServer(
      () => undefined,
      async (tunnel) => {
        const started = performance.now();
        const ended = await Promise.allSettled(Array.from({ length: 30 }, (_, at) => get(tunnel, `/v1/${at}`, 0.5)));
        assert.ok(
          ended.every((one) => one.status === 'rejected' && /no answer within 0.5 s/.test(String(one.reason))),
          String(ended[0]?.status),
        );
        assert.ok(performance.now() - started < 2500, `${performance.now() - started} ms`);
      },
    );
  });

  test('a slow answer on a kept connection is waited for, at the latest the second time', async () => {
    let asked = 0;
    await withServer(
      (_request, response) => {
        asked += 1;
        setTimeout(() => response.end('{}'), asked === 1 ? 0 : 1900);
      },
      async (tunnel) => {
        await get(tunnel, '/v1/quick', 5);
        assert.equal((await get(tunnel, '/v1/slow', 5)).status, 200);
      },
    );
  });
});
