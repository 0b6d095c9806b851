/**
 * A way to an API server that answers in its place now and then: overloaded, broken, in conflict, cut off in the
 * middle, or after the request was carried out. It shows the API server's own certificate, lets in only those that have
 * one of its authority, and asks in the name of whoever the certificate in `pki` is of.
 */
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { connect } from 'node:tls';

export type ApiAnswer = 429 | 500 | 503 | 409 | 'cut' | 'lost';

export interface ApiProxy {
  port: number;
  /** The next `count` requests that it can be an answer to get this one; watches and streams are left alone. */
  answer: (answer: ApiAnswer, count: number) => void;
  /** How many are still to come. */
  left: () => number;
  close: () => Promise<void>;
}

const REASONS: Record<number, [reason: string, message: string]> = {
  409: [
    'Conflict',
    'Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again',
  ],
  429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
  500: ['InternalError', 'Internal error occurred: etcdserver: request timed out'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
};
const CHANGES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** @param pki folder with `ca.crt`, `admin.crt` and `admin.key`, as kwokctl makes it */
export async function apiProxy(target: () => number, pki: string): Promise<ApiProxy> {
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', 'admin.crt', 'admin.key'].map((name) => readFile(join(pki, name))),
  );
  const agent = new https.Agent({ ca, cert, key, keepAlive: true, maxSockets: 64 });
  let next: { answer: ApiAnswer; count: number } = { answer: 503, count: 0 };
  const sockets = new Set<Socket>();
  const upstreamOptions = { host: '127.0.0.1', ca, cert, key };

  // Whoever comes without a certificate would have an administrator's rights otherwise.
  const admission = { ca, requestCert: true, rejectUnauthorized: true };
  const server = https.createServer({ cert, key, ...admission }, (request, response) => {
    const isStream = /[?&](watch|follow)=(true|1)/.test(request.url ?? '');
    const fits = !isStream && next.count > 0 && (next.answer !== 409 || CHANGES.has(request.method ?? ''));
    if (!fits) {
      forward(request, response, 'whole');
      return;
    }
    next.count -= 1;
    if (typeof next.answer === 'number') refuse(request, response, next.answer);
    else forward(request, response, next.answer);
  });
  const forward = (request: IncomingMessage, response: ServerResponse, how: 'whole' | 'cut' | 'lost'): void => {
    const { method, url: path, headers } = request;
    const onward = https.request({ ...upstreamOptions, port: target(), agent, method, path, headers }, (answer) => {
      if (how === 'lost') {
        // Carried out by now, and its answer goes nowhere.
        answer.resume().once('close', () => request.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      // Of a watch nothing else may come for minutes.
      response.flushHeaders();
      if (how === 'whole') {
        pipeline(answer, response, () => undefined);
        return;
      }
      answer.once('data', (chunk: Buffer) => {
        response.write(chunk.subarray(0, Math.ceil(chunk.length / 2)), () => request.socket.destroy());
      });
      answer.once('end', () => request.socket.destroy());
    });
    onward.on('error', () => request.socket.destroy());
    response.on('close', () => onward.destroy());
    request.on('error', () => onward.destroy());
    request.pipe(onward);
  };
  // Commands in pods, and ports of them.
  server.on('upgrade', (request, client: Socket, head) => {
    const upstream = connect({ ...upstreamOptions, port: target(), ALPNProtocols: ['http/1.1'] }, () => {
      const lines = request.rawHeaders.flatMap((name, at, all) =>
        at % 2 === 0 ? [`${name}: ${all[at + 1] ?? ''}`] : [],
      );
      upstream.write(`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      pipeline(upstream, client, () => client.destroy());
      pipeline(client, upstream, () => upstream.destroy());
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    answer: (answer, count) => {
      next = { answer, count };
    },
    left: () => next.count,
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      for (const socket of sockets) socket.destroy();
      agent.destroy();
      await closed;
    },
  };
}

function refuse(request: IncomingMessage, response: ServerResponse, code: number): void {
  const [reason, message] = REASONS[code] ?? ['Unknown', 'no'];
  request.resume();
  response.writeHead(code, { 'content-type': 'application/json', ...(code === 429 ? { 'retry-after': '1' } : {}) });
  response.end(
    JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }),
  );
}
