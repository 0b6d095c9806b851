import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { KubernetesError, UnreachableError } from '../../../src/clients/kubernetes/index.ts';
import { loadKubeconfig } from '../../../src/clients/kubernetes/kubeconfig/kubeconfig.ts';
import { createTransport, type Transport } from '../../../src/clients/kubernetes/transport.ts';
import { type FakeApiServer, fakeApiServer, kubeconfigFor, status } from '../../support/fakes/api-server.ts';

async function withTransport(work: (transport: Transport, server: FakeApiServer) => Promise<void>): Promise<void> {
  const server = await fakeApiServer();
  const transport = createTransport(server.kubeconfig);
  try {
    await work(transport, server);
  } finally {
    transport.close();
    await server.close();
  }
}

describe('transport', () => {
  test('one connection serves requests that follow each other', async () => {
    await withTransport(async (transport, server) => {
      server.answer(() => ({ body: { ok: true } }));
      for (let i = 0; i < 5; i += 1)
        assert.deepEqual(await transport.call({ path: '/x', query: { a: 'b c', left: undefined } }), { ok: true });
      assert.equal(server.connections(), 1);
      assert.equal(server.requests[0]?.query.toString(), 'a=b+c');
    });
  });

  test("a refusal carries status, reason and the server's words", async () => {
    await withTransport(async (transport, server) => {
      server.answer(() => ({ status: 409, body: status(409, 'Conflict', 'Apply failed with 1 conflict') }));
      await assert.rejects(transport.call({ method: 'PATCH', path: '/x' }), (error: unknown) => {
        assert.ok(error instanceof KubernetesError);
        assert.deepEqual(
          [error.status, error.reason, error.message],
          [409, 'Conflict', 'PATCH /x: 409 Apply failed with 1 conflict'],
        );
        return true;
      });
      server.answer(() => ({ status: 502, text: '<html>gateway</html>' }));
      await assert.rejects(transport.call({ path: '/x' }), /502 <html>gateway/);
    });
  });

  test("the API server's clock is that of its last answer, a refusal too; it goes on by itself", async () => {
    await withTransport(async (transport, server) => {
      assert.ok(Math.abs(transport.serverTime() - Date.now()) < 1000, 'nobody has answered yet');
      const then = Date.parse('2020-01-01T00:00:00Z');
      server.answer(() => ({ status: 404, body: status(404, 'NotFound', 'no'), date: new Date(then).toUTCString() }));
      await assert.rejects(transport.call({ path: '/x' }));
      const first = transport.serverTime();
      assert.ok(first >= then && first < then + 60_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.ok(transport.serverTime() > first);
    });
  });

  test('no server, no answer and a cut answer are all unreachable', async () => {
    await withTransport(async (transport, server) => {
      server.answer(() => 'hang');
      await assert.rejects(
        transport.call({ path: '/x', timeoutSeconds: 0.05 }),
        (error: unknown) => error instanceof UnreachableError && /no answer within 0.05 s/.test(error.message),
      );
      server.answer(() => 'cut');
      await assert.rejects(transport.call({ path: '/x' }), UnreachableError);
      await server.stop();
      await assert.rejects(transport.call({ path: '/x' }), /cannot be reached: .*ECONNREFUSED/);
    });
  });

  test('a kept connection that the server has closed costs one more attempt', async () => {
    await withTransport(async (transport, server) => {
      let cut = false;
      server.answer(() => {
        if (cut) {
          cut = false;
          return 'cut';
        }
        return { body: { ok: true } };
      });
      await transport.call({ path: '/x' });
      cut = true;
      assert.deepEqual(await transport.call({ path: '/x' }), { ok: true });
    });
  });

  test('the signal ends a request with its own reason', async () => {
    await withTransport(async (transport, server) => {
      server.answer(() => 'hang');
      await assert.rejects(transport.call({ path: '/x', signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
    });
  });

  test('after a 401 the kubeconfig is read again, once', async () => {
    const server = await fakeApiServer();
    let reads = 0;
    const transport = createTransport(() => kubeconfigFor(server.url, `token-${reads++}`));
    try {
      server.answer(({ headers }) =>
        headers.authorization === 'Bearer token-1'
          ? { body: { ok: true } }
          : { status: 401, body: status(401, 'Unauthorized', 'token expired') },
      );
      assert.deepEqual(await transport.call({ path: '/x' }), { ok: true });
      assert.equal(reads, 2);
      server.answer(() => ({ status: 401, body: status(401, 'Unauthorized', 'token expired') }));
      await assert.rejects(transport.call({ path: '/x' }), /401 token expired/);
      assert.equal(reads, 3);
    } finally {
      transport.close();
      await server.close();
    }
  });
});

describe('kubeconfig', () => {
  test('a missing file, a missing context and a damaged file are explained', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
    try {
      const file = join(folder, 'config');
      assert.throws(() => loadKubeconfig({ kubeconfig: file, inCluster: false }), {
        name: 'ConfigurationError',
        message: /does not exist.*cluster\.kubeconfig/,
      });
      await writeFile(
        file,
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Config',
          clusters: [{ name: 'c', cluster: { server: 'https://x' } }],
          users: [{ name: 'u', user: {} }],
          contexts: [{ name: 'one', context: { cluster: 'c', user: 'u' } }],
          'current-context': 'one',
        }),
      );
      assert.equal(loadKubeconfig({ kubeconfig: file, inCluster: false }).getCurrentCluster()?.server, 'https://x');
      assert.throws(() => loadKubeconfig({ kubeconfig: file, context: 'two', inCluster: false }), {
        message: /no context "two" \(it has: one\).*cluster\.context/,
      });
      await writeFile(file, 'clusters: [');
      assert.throws(() => loadKubeconfig({ kubeconfig: file, inCluster: false }), {
        name: 'ConfigurationError',
        message: /cannot be read/,
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
