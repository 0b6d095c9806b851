/** The ports of the real service: health paths as it has them, gRPC health, and `/standin/report` beside them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Listener } from './profiles.ts';
import type { Face } from './face.ts';

/** @throws when no variable and no default says which port */
export function portOf(listener: Listener, env: Readonly<Record<string, string>>): number {
  const name = listener.env.find((candidate) => env[candidate] !== undefined);
  const port = name === undefined ? listener.port : Number(env[name]);
  if (port === undefined) throw new Error(`none of ${listener.env.join(', ')} is set: it does not know its port`);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Error(`${name ?? 'its port'} is no port`);
  return port;
}

/** Listens on every address of the pod. @throws when a port cannot be had */
export async function serve(listener: Listener, port: number, face: Face): Promise<void> {
  if (listener.protocol === 'grpc') return (await import('./serve-grpc.ts')).serveGrpc(port, face);
  const listen: RequestListener = (request, answer) => {
    respond(listener, face, request, answer);
  };
  const server = listener.protocol === 'https' ? createTlsServer(selfSigned(), listen) : createServer(listen);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '::', resolve);
  });
}

function respond({ ready, live }: Listener, face: Face, request: IncomingMessage, answer: ServerResponse): void {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const report = face.report();
  const send = (status: number, body: unknown): void => {
    answer
      .writeHead(status, { 'content-type': 'application/json', 'x-stand-in': report.service })
      .end(`${JSON.stringify(body)}\n`);
  };
  // Whoever asks for the root of a service expects its page, as browsers do.
  const sendPage = (): void => {
    answer
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'x-stand-in': report.service })
      .end(`<!doctype html><title>${report.service}</title>\n`);
  };
  if (path === '/standin/report') send(200, report);
  else if (live.includes(path) || (ready.includes(path) && report.state === 'healthy')) {
    if (path === '/') sendPage();
    else send(200, { status: 'ok' });
  } else if (ready.includes(path)) send(503, { status: report.state, missing: face.failing() });
  else send(404, { status: 'not found' });
}

/** A certificate of its own, as operators make one for their webhooks when none is given. */
function selfSigned(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'));
  const [key, cert] = [join(folder, 'tls.key'), join(folder, 'tls.crt')];
  try {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
        '-days',
        '365',
        '-subj',
        '/CN=stand-in',
      ],
      { stdio: 'ignore' },
    );
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
