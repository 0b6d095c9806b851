import assert from 'node:assert/strict';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { type PodHealth, probePods, type ProbeContext } from '../../../src/effects/probe/index.ts';
import { decodeResponse, encodeRequest } from '../../../src/effects/probe/grpc.ts';

const pod = { namespace: 'ns', release: 'api', pod: 'api-1' };
const signal = new AbortController().signal;

/** Instead of a port-forward, a connection to a server of the test. */
async function through(
  server: net.Server | http.Server | http2.Http2Server,
  work: (context: ProbeContext) => Promise<void>,
): Promise<void> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const sockets = new Set<net.Socket>();
  const context: ProbeContext = {
    kubernetes: {
      connect: () =>
        new Promise((resolve, reject) => {
          const socket = net.connect(port, '127.0.0.1', () => {
            resolve(socket);
          });
          sockets.add(socket);
          socket.once('error', reject);
        }),
      exec: () => Promise.reject(new Error('not here')),
    },
    vault: { state: () => Promise.resolve({ state: 'open', detail: '' }) },
  };
  try {
    await work(context);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  }
}

const ask = (context: ProbeContext, health: PodHealth): ReturnType<typeof probePods> =>
  probePods(context, [pod], health, signal);

describe('HTTP', () => {
  test('asks by the name of the Service; below 400 is good', async () => {
    const seen: string[] = [];
    await through(
      http.createServer((request, response) => {
        seen.push(`${request.headers.host} ${request.url}`);
        response.writeHead(request.url === '/health' ? 204 : 503);
        response.end(request.url === '/health' ? undefined : 'database is away\nand more');
      }),
      async (context) => {
        assert.deepEqual(await ask(context, { kind: 'http', port: 80, path: '/health' }), {
          ok: true,
          text: 'GET /health 204',
        });
        assert.deepEqual(await ask(context, { kind: 'http', port: 80, path: '/bad' }), {
          ok: false,
          text: 'GET /bad 503: database is away',
        });
        assert.deepEqual(seen, ['api.ns.svc /health', 'api.ns.svc /bad']);
      },
    );
  });

  test('a connection that is closed without an answer is an answer too', async () => {
    await through(
      net.createServer((socket) => {
        socket.once('data', () => socket.destroy());
      }),
      async (context) => {
        const { ok, text } = await ask(context, { kind: 'http', port: 80, path: '/' });
        assert.deepEqual([ok, /hang up|ECONNRESET/.test(text)], [false, true]);
      },
    );
  });
});

describe('TCP', () => {
  test('open is good, closed at once is not', async () => {
    await through(
      net.createServer(() => undefined),
      async (context) => {
        assert.deepEqual(await ask(context, { kind: 'tcp', port: 5672 }), {
          ok: true,
          text: 'TCP 5672 accepts connections',
        });
      },
    );
    await through(
      net.createServer((socket) => {
        socket.end();
      }),
      async (context) => {
        assert.deepEqual(await ask(context, { kind: 'tcp', port: 5672 }), {
          ok: false,
          text: 'TCP 5672: the connection was closed at once',
        });
      },
    );
  });
});

describe('gRPC', () => {
  const server = (
    answer: (stream: http2.ServerHttp2Stream) => void,
    seen: http2.IncomingHttpHeaders[] = [],
  ): http2.Http2Server =>
    http2.createServer().on('stream', (stream, headers) => {
      seen.push(headers);
      answer(stream);
    });
  const serving =
    (status: number) =>
    (stream: http2.ServerHttp2Stream): void => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => {
        stream.sendTrailers({ 'grpc-status': '0' });
      });
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
    };
  const health: PodHealth = { kind: 'grpc', port: 7233, service: 'a.Service' };

  test('SERVING is good, everything else is named', async () => {
    const seen: http2.IncomingHttpHeaders[] = [];
    await through(server(serving(1), seen), async (context) => {
      assert.deepEqual(await ask(context, health), { ok: true, text: 'gRPC health of a.Service: SERVING' });
      assert.deepEqual([seen[0]?.[':authority'], seen[0]?.[':path']], ['api.ns.svc', '/grpc.health.v1.Health/Check']);
    });
    await through(server(serving(2)), async (context) => {
      assert.deepEqual(await ask(context, health), { ok: false, text: 'gRPC health of a.Service: NOT_SERVING' });
    });
    await through(
      server((stream) => {
        stream.respond(
          { ':status': 200, 'grpc-status': '5', 'grpc-message': 'unknown%20service' },
          { endStream: true },
        );
      }),
      async (context) => {
        assert.deepEqual(await ask(context, health), {
          ok: false,
          text: 'gRPC health of a.Service: status 5 unknown service',
        });
      },
    );
  });

  test('messages as the protocol has them', () => {
    assert.deepEqual([...encodeRequest('ab')], [0, 0, 0, 0, 4, 0x0a, 2, 97, 98]);
    assert.deepEqual([...encodeRequest('')], [0, 0, 0, 0, 0]);
    assert.deepEqual(
      [decodeResponse(Buffer.from([0, 0, 0, 0, 2, 8, 1])), decodeResponse(Buffer.from([0, 0, 0, 0, 0]))],
      [1, 0],
    );
  });
});

describe('commands, and many pods', () => {
  const context = (exits: Record<string, number>): ProbeContext => ({
    kubernetes: {
      connect: () => Promise.reject(new Error('not here')),
      exec: ({ pod: name }) =>
        name in exits
          ? Promise.resolve({ exitCode: exits[name]!, stdout: '', stderr: 'no response\n' })
          : Promise.reject(new Error('pod is gone')),
    },
    vault: { state: () => Promise.resolve({ state: 'open', detail: '' }) },
  });
  const health: PodHealth = { kind: 'exec', command: ['pg_isready', '-h', 'x'] };

  test('the exit code decides', async () => {
    assert.deepEqual(await ask(context({ 'api-1': 0 }), health), { ok: true, text: 'pg_isready exited 0' });
    assert.deepEqual(await ask(context({ 'api-1': 2 }), health), {
      ok: false,
      text: 'pg_isready exited 2: no response',
    });
    assert.deepEqual(await ask(context({}), health), { ok: false, text: 'pod is gone' });
  });

  test('one good pod is enough; none at all is said', async () => {
    const pods = ['api-1', 'api-2', 'api-3'].map((name) => ({ ...pod, pod: name }));
    assert.equal((await probePods(context({ 'api-1': 1, 'api-3': 0 }), pods, health, signal)).ok, true);
    assert.deepEqual(await probePods(context({}), [], health, signal), {
      ok: false,
      text: 'it has no ready pod to ask',
    });
  });

  test('cancellation is no answer', async () => {
    const controller = new AbortController();
    controller.abort(new Error('stop'));
    await assert.rejects(probePods(context({}), [pod], health, controller.signal), /stop/);
  });
});
