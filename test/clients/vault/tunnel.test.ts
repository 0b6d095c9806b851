/**
 * Requests to Vault's pods on a slow machine with many requests at once: a request that waits its turn does not count
 * as unanswered.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createTunnel, type Tunnel } from '../../../src/clients/vault/tunnel.ts';
import { certificates, OPENSSL } from '../../support/servers/tls.ts';

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
        setTimeout(() => response.end('{}'), 200);
      },
      async (tunnel, opened) => {
        const started = performance.now();
        const answers = await Promise.all(Array.from({ length: 36 }, (_, at) => get(tunnel, `/v1/${at}`, 2)));
        assert.ok(performance.now() - started > 2000, 'they were not asked one behind the other');
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
        const ended = await Promise.allSettled(Array.from({ length: 120 }, (_, at) => get(tunnel, `/v1/${at}`, 0.5)));
        assert.ok(
          ended.every((one) => one.status === 'rejected' && /no answer within 0.5 s/.test(String(one.reason))),
          String(ended[0]?.status),
        );
        // Waiting for each in turn would take 20 s.
        assert.ok(performance.now() - started < 15_000, `${performance.now() - started} ms`);
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

test('a certificate of a new authority: the authority is asked for again, once', {
  skip: OPENSSL === undefined && 'needs openssl',
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tunnel-tls-'));
  const [before, now] = await Promise.all([certificates(join(folder, 'a')), certificates(join(folder, 'b'))]);
  const [cert, key, old, fresh] = await Promise.all(
    [now.cert, now.key, before.ca, now.ca].map((file) => readFile(file, 'utf8')),
  );
  const server = https.createServer({ cert, key }, (_request, response) => response.end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const pod = { metadata: { name: 'vault-0', uid: 'p', resourceVersion: '1' }, status: { phase: 'Running' } };
  const asked: (boolean | undefined)[] = [];
  const tunnelWith = (later: string): Tunnel =>
    createTunnel(
      {
        list: () => Promise.resolve({ metadata: { resourceVersion: '1' }, items: [pod] }),
        connect: () => Promise.resolve(net.connect(port, '127.0.0.1')),
      },
      {
        namespace: 'vault-system',
        release: 'vault',
        port: 8200,
        tls: {
          name: 'localhost',
          authority: (again) => {
            asked.push(again);
            return Promise.resolve((again ? later : old) ?? '');
          },
        },
      },
    );
  try {
    const tunnel = tunnelWith(fresh ?? '');
    assert.equal((await get(tunnel, '/v1/x', 2)).status, 200);
    assert.deepEqual(asked, [undefined, true]);
    tunnel.close();
    const lost = tunnelWith(old ?? '');
    await assert.rejects(get(lost, '/v1/x', 2), { name: 'VaultUnreachableError', message: /its certificate/ });
    lost.close();
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  }
});
