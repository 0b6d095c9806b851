/**
 * The kubelet of all simulated nodes. `exec` is answered here, so that nothing is ever run on this machine in the name
 * of a pod; port-forwards go on to KWOK. KWOK lets anybody in who finds its port; here one needs a certificate of the
 * cluster's authority, as the API server has.
 */
import { type IncomingMessage, type ServerResponse, request as httpRequest } from 'node:http';
import { type Server, createServer } from 'node:https';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { LOOPBACK } from '../../process/ports.ts';
import { type ExecOptions, serveExec } from './exec.ts';

export interface KubeletOptions extends ExecOptions {
  port: number;
  /** KWOK's port. */
  kwokPort: number;
  /** PEM: the cluster's authority, and what to show to its clients. */
  tls: { ca: string; cert: string; key: string };
}

/** @throws Error when the port is taken */
export async function startKubelet(options: KubeletOptions): Promise<Server> {
  const server = createServer({ ...options.tls, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    passOn(options, request, response);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    if (head.length > 0) socket.unshift(head);
    if (pathOf(request).startsWith('/exec/')) serveExec(options, request, socket);
    else passOnUpgrade(options, request, socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: options.port, host: LOOPBACK }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return server;
}

function pathOf(request: IncomingMessage): string {
  return new URL(request.url ?? '/', 'http://kubelet').pathname;
}

/** KWOK runs commands on the machine: none of ours may reach it. */
function isExec(request: IncomingMessage): boolean {
  return /^\/(exec|run|attach)\//.test(pathOf(request));
}

function passOn({ kwokPort }: KubeletOptions, request: IncomingMessage, response: ServerResponse): void {
  if (isExec(request)) {
    response.writeHead(400).end('an upgrade to SPDY/3.1 is needed\n');
    return;
  }
  if (pathOf(request).startsWith('/containerLogs/')) {
    response.writeHead(200, { 'content-type': 'text/plain' }).end('This container is simulated: it writes no log.\n');
    return;
  }
  const passed = httpRequest(
    { host: LOOPBACK, port: kwokPort, method: request.method, path: request.url, headers: request.headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  passed.once('error', (error) => {
    response.writeHead(502).end(`${error.message}\n`);
  });
  request.pipe(passed);
}

/** The request as it came, then whatever both sides have to say. */
function passOnUpgrade({ kwokPort }: KubeletOptions, request: IncomingMessage, socket: Duplex): void {
  if (isExec(request)) {
    socket.destroy();
    return;
  }
  const kwok = connect({ host: LOOPBACK, port: kwokPort }, () => {
    const headers = request.rawHeaders.reduce(
      (lines, part, index) => lines + part + (index % 2 === 0 ? ': ' : '\r\n'),
      '',
    );
    kwok.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers}\r\n`);
    socket.pipe(kwok).pipe(socket);
  });
  kwok.on('error', () => {
    socket.destroy();
  });
  socket.on('close', () => {
    kwok.destroy();
  });
}
