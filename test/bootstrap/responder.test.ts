import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { claimPorts } from '../../bootstrap/process/ports.ts';
import { clearProbe, failProbe, probeFailure, serviceOfHost } from '../../bootstrap/responder/failures.ts';
import { type Responder, startResponder } from '../../bootstrap/responder/server.ts';
import { eventually } from '../support/eventually.ts';

let folder: string;
let failures: string;
let ports: Record<string, number>;
let responder: Responder;
const probes: string[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-responder-'));
  failures = join(folder, 'failures');
  await mkdir(failures);
  ports = await claimPorts({ file: join(folder, 'ports.json'), names: ['main', 'worker'], inUseByUs: new Set() });
  responder = await startResponder({
    port: ports['main']!,
    tcpPorts: { worker: ports['worker']! },
    failures,
    answers: [
      {
        service: 'api',
        method: 'GET',
        path: '/version?full',
        status: 203,
        headers: { etag: 'x' },
        body: '{"version":1}',
      },
    ],
    onProbe: ({ kind, service, outcome }) => probes.push(`${kind} ${service} ${outcome}`),
  });
});
after(async () => {
  await responder.close();
  await rm(folder, { recursive: true, force: true });
});

async function http(host: string): Promise<{ status: number; service: string }> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port: ports['main'], path: '/health', headers: { host }, agent: false, timeout: 3_000 },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.once('end', () => {
          resolve({ status: response.statusCode ?? 0, service: (JSON.parse(body) as { service: string }).service });
        });
      },
    );
    asked.once('timeout', () => {
      asked.destroy(new Error('timeout'));
    });
    asked.once('error', reject);
    asked.end();
  });
}

function grpc(authority: string, path = '/grpc.health.v1.Health/Check'): Promise<{ status: string; answer: Buffer }> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http://127.0.0.1:${ports['main']}`);
    session.once('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      ':authority': authority,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let status = '';
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('trailers', (trailers) => {
      status = String(trailers['grpc-status']);
    });
    stream.once('error', reject);
    stream.once('close', () => {
      session.close();
      resolve({ status, answer: Buffer.concat(chunks) });
    });
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
  });
}

function tcp(port: number): Promise<'open' | 'refused'> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => {
      resolve('refused');
    });
    socket.once('connect', () => {
      socket.destroy();
      resolve('open');
    });
  });
}

describe('the responder', () => {
  test('http: 200 for all who are well, 503 for one that is not, nothing for one that hangs', async () => {
    assert.deepEqual(await http('auth.apps.svc:8080'), { status: 200, service: 'auth' });
    await failProbe(failures, 'auth', 'unhealthy');
    assert.equal((await http('auth.apps.svc')).status, 503);
    assert.equal((await http('content.apps.svc')).status, 200);
    await failProbe(failures, 'auth', 'refuse');
    await assert.rejects(http('auth.apps.svc'), { code: 'ECONNRESET' });
    await failProbe(failures, 'auth', 'hang');
    await assert.rejects(http('auth.apps.svc'), /timeout/);
    await clearProbe(failures, 'auth');
    assert.equal((await http('auth.apps.svc')).status, 200);
    assert.ok(probes.includes('http auth unhealthy'));
  });

  test('grpc: SERVING or NOT_SERVING by the authority; other methods are unimplemented', async () => {
    assert.deepEqual(await grpc('engine.apps.svc'), {
      status: '0',
      answer: Buffer.from([0, 0, 0, 0, 2, 0x08, 1]),
    });
    await failProbe(failures, 'engine', 'unhealthy');
    assert.deepEqual(await grpc('engine.apps.svc'), {
      status: '0',
      answer: Buffer.from([0, 0, 0, 0, 2, 0x08, 2]),
    });
    await clearProbe(failures);
    assert.equal((await grpc('engine.apps.svc', '/other.Service/Method')).status, '12');
  });

  test('tcp: the port of a failing service is closed until it is well again', async () => {
    assert.equal(await tcp(ports['worker']!), 'open');
    assert.equal(await tcp(ports['main']!), 'open');
    await failProbe(failures, 'worker', 'refuse');
    await eventually(async () => assert.equal(await tcp(ports['worker']!), 'refused'));
    await clearProbe(failures, 'worker');
    await eventually(async () => assert.equal(await tcp(ports['worker']!), 'open'));
  });
});

describe('failures', () => {
  test('are files: unknown modes and strange names are no failures, and strange names are refused', async () => {
    assert.equal(await probeFailure(failures, '../failures'), undefined);
    await assert.rejects(failProbe(failures, '../x', 'hang'), /not the name of a service/);
    assert.equal(serviceOfHost('engine.apps.svc:7233'), 'engine');
    assert.equal(serviceOfHost(undefined), '');
  });
});

test('answers a request of a check as the catalog says, by service, method and path; unwell it does not', async () => {
  const ask = (host: string, path: string, method = 'GET'): Promise<Response> => {
    // fetch sets the header Host itself and cannot be told to send another.
    return new Promise((resolve, reject) => {
      void import('node:http').then(({ request }) => {
        const asked = request(
          { host: '127.0.0.1', port: ports['main'], path, method, headers: { host }, agent: false },
          (answer) => {
            let body = '';
            answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
            answer.once('end', () =>
              resolve(
                new Response(body, { status: answer.statusCode ?? 0, headers: { etag: answer.headers.etag ?? '' } }),
              ),
            );
          },
        );
        asked.once('error', reject);
        asked.end();
      });
    });
  };
  const known = await ask('api.apps.svc', '/version?full');
  assert.deepEqual([known.status, known.headers.get('etag'), await known.text()], [203, 'x', '{"version":1}']);
  assert.equal((await ask('api.apps.svc', '/version')).status, 200);
  assert.equal((await ask('api.apps.svc', '/version?full', 'POST')).status, 200);
  assert.equal((await ask('web.apps.svc', '/version?full')).status, 200);
  await failProbe(failures, 'api', 'unhealthy');
  assert.equal((await ask('api.apps.svc', '/version?full')).status, 503);
  await clearProbe(failures);
});
