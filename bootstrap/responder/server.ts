/**
 * Answers the probes of all simulated pods, in place of the services that are not there. One port takes HTTP/1.1, gRPC and
 * plain TCP; who is meant follows from the Host header or :authority. Plain TCP carries no name: it gets a port per service.
 */
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { LOOPBACK } from '../process/ports.ts';
import { probeFailure, serviceOfHost } from './failures.ts';
import { SERVING, NOT_SERVING, healthAnswer, healthService } from './grpc-health.ts';

export interface ResponderOptions {
  port: number;
  /** Service to the port at which connections for it arrive. */
  tcpPorts: Readonly<Record<string, number>>;
  /** Folder of failing services. */
  failures: string;
  /** Told of each probe: for tests and the log. */
  onProbe?: (probe: { kind: 'http' | 'grpc' | 'tcp'; service: string; target: string; outcome: string }) => void;
}

export interface Responder {
  close(): Promise<void>;
}

const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0');
const HTTP1_METHOD = /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT) /;

/** @throws Error when a port is taken */
export async function startResponder(options: ResponderOptions): Promise<Responder> {
  const sockets = new Set<Socket>();
  const http1 = createHttpServer((request, response) => { void answerHttp(options, request, response); });
  const http2 = createHttp2Server();
  http2.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => { void answerGrpc(options, stream, headers); });
  // Clients go away as they please.
  http2.on('sessionError', () => undefined);
  http1.on('clientError', (_error, socket) => { socket.destroy(); });

  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => { sockets.delete(socket); });
  };
  const main = createServer((socket) => {
    track(socket);
    // The first bytes tell the protocol; whoever sends none only wanted to be let in.
    socket.once('data', (first: Buffer) => {
      socket.pause();
      const target = first.subarray(0, HTTP2_PREFACE.length).equals(HTTP2_PREFACE) ? http2 : HTTP1_METHOD.test(first.toString('latin1', 0, 8)) ? http1 : undefined;
      if (target === undefined) {
        socket.resume();
        return;
      }
      socket.unshift(first);
      target.emit('connection', socket);
      socket.resume();
    });
  });
  const servers: Server[] = [main];
  await listen(main, options.port);
  for (const [service, port] of Object.entries(options.tcpPorts)) {
    const server = createServer((socket) => {
      track(socket);
      void answerTcp(options, service, socket);
    });
    servers.push(server);
    await listen(server, port);
  }
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise<void>((resolve) => { server.close(() => { resolve(); }); })));
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: LOOPBACK }, () => { server.off('error', reject); resolve(); });
  });
}

async function answerHttp(options: ResponderOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const service = serviceOfHost(request.headers.host);
  const failure = await probeFailure(options.failures, service);
  options.onProbe?.({ kind: 'http', service, target: request.url ?? '', outcome: failure ?? 'healthy' });
  if (failure === 'hang') return;
  if (failure === 'refuse') {
    request.socket.destroy();
    return;
  }
  const status = failure === undefined ? 200 : 503;
  const body = JSON.stringify({ service, status: failure === undefined ? 'ok' : 'unhealthy', simulated: true });
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answerGrpc(options: ResponderOptions, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
  stream.on('error', () => undefined);
  const service = serviceOfHost(headers[':authority']);
  const path = headers[':path'] ?? '';
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  const failure = await probeFailure(options.failures, service);
  options.onProbe?.({ kind: 'grpc', service, target: `${path} ${healthService(Buffer.concat(chunks))}`, outcome: failure ?? 'healthy' });
  if (failure === 'hang' || stream.destroyed) return;
  if (failure === 'refuse') {
    stream.session?.destroy();
    return;
  }
  const unimplemented = path !== '/grpc.health.v1.Health/Check';
  stream.on('wantTrailers', () => { stream.sendTrailers({ 'grpc-status': unimplemented ? '12' : '0' }); });
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.end(unimplemented ? undefined : healthAnswer(failure === undefined ? SERVING : NOT_SERVING));
}

async function answerTcp(options: ResponderOptions, service: string, socket: Socket): Promise<void> {
  const failure = await probeFailure(options.failures, service);
  options.onProbe?.({ kind: 'tcp', service, target: '', outcome: failure ?? 'healthy' });
  // A connection cannot say "unhealthy": it is there or not.
  if (failure === 'unhealthy' || failure === 'refuse') socket.resetAndDestroy();
  else socket.resume();
}
