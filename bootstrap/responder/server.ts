/**
 * Answers the probes of all simulated pods, in place of the services that are not there. One port takes HTTP/1.1, gRPC
 * and plain TCP; who is meant follows from the Host header or :authority. Plain TCP carries no name: it gets a port per
 * service.
 */
import { watch } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { LOOPBACK } from '../process/ports.ts';
import { probeFailure, serviceOfHost } from './failures.ts';
import { SERVING, NOT_SERVING, healthAnswer, healthService } from './grpc-health.ts';

/** What a simulated service answers to one request. */
export interface KnownAnswer {
  service: string;
  method: string;
  /** With its query. */
  path: string;
  status: number;
  headers: Readonly<Record<string, string>>;
  body?: string | undefined;
}

export interface ResponderOptions {
  port: number;
  /** Service to the port at which connections for it arrive. */
  tcpPorts: Readonly<Record<string, number>>;
  /** Folder of failing services. */
  failures: string;
  /** Everything else is answered with 200 and the name of the service. */
  answers?: readonly KnownAnswer[];
  /** Called with each probe: for tests and the log. */
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
  const http1 = createHttpServer((request, response) => {
    void answerHttp(options, request, response);
  });
  const http2 = createHttp2Server();
  http2.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    void answerGrpc(options, stream, headers);
  });
  // Clients may close the connection at any time.
  http2.on('sessionError', () => undefined);
  http1.on('clientError', (_error, socket) => {
    socket.destroy();
  });

  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      sockets.delete(socket);
    });
  };
  const main = createServer((socket) => {
    track(socket);
    // The first bytes show the protocol; a client that sends none only checked whether the port is open.
    socket.once('data', (first: Buffer) => {
      if (HTTP1_METHOD.test(first.toString('latin1', 0, 8))) {
        socket.unshift(first);
        http1.emit('connection', socket);
      } else if (first.subarray(0, HTTP2_PREFACE.length).equals(HTTP2_PREFACE)) {
        // Node's HTTP/2 reads below the socket, where bytes that were read once cannot be put back.
        const [inner, outer] = duplexPair();
        http2.emit('connection', inner);
        outer.write(first);
        socket.pipe(outer).pipe(socket);
        outer.on('error', () => socket.destroy());
      } else socket.resume();
    });
  });
  await listen(main, options.port);
  const doors = await Promise.all(
    Object.entries(options.tcpPorts).map(([service, port]) => openDoor(options, service, port, track)),
  );
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([closeServer(main), ...doors.map((door) => door.close())]);
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: LOOPBACK }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function answerHttp(
  options: ResponderOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const service = serviceOfHost(request.headers.host);
  const failure = await probeFailure(options.failures, service);
  options.onProbe?.({ kind: 'http', service, target: request.url ?? '', outcome: failure ?? 'healthy' });
  if (failure === 'hang') return;
  if (failure === 'refuse') {
    request.socket.destroy();
    return;
  }
  const known =
    failure === undefined
      ? options.answers?.find(
          (answer) => answer.service === service && answer.path === request.url && answer.method === request.method,
        )
      : undefined;
  const status = known?.status ?? (failure === undefined ? 200 : 503);
  const body =
    known?.body ?? JSON.stringify({ service, status: failure === undefined ? 'ok' : 'unhealthy', simulated: true });
  response.writeHead(status, {
    'content-type': 'application/json',
    ...known?.headers,
    'content-length': Buffer.byteLength(body),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answerGrpc(
  options: ResponderOptions,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): Promise<void> {
  stream.on('error', () => undefined);
  const service = serviceOfHost(headers[':authority']);
  const path = headers[':path'] ?? '';
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  const failure = await probeFailure(options.failures, service);
  options.onProbe?.({
    kind: 'grpc',
    service,
    target: `${path} ${healthService(Buffer.concat(chunks))}`,
    outcome: failure ?? 'healthy',
  });
  if (failure === 'hang' || stream.destroyed) return;
  if (failure === 'refuse') {
    stream.session?.destroy();
    return;
  }
  const unimplemented = path !== '/grpc.health.v1.Health/Check';
  stream.on('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': unimplemented ? '12' : '0' });
  });
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.end(unimplemented ? undefined : healthAnswer(failure === undefined ? SERVING : NOT_SERVING));
}

/**
 * The port of one service whose health check is a plain connection. One that fails is closed: a connection that is
 * taken and cut afterwards looks the same as a good one through a port-forward.
 */
async function openDoor(
  options: ResponderOptions,
  service: string,
  port: number,
  track: (socket: Socket) => void,
): Promise<Responder> {
  let open: Server | undefined;
  const followFailures = async (): Promise<void> => {
    const failure = await probeFailure(options.failures, service);
    const wanted = failure === undefined || failure === 'hang';
    if (wanted && open === undefined) {
      open = createServer((socket) => {
        track(socket);
        socket.resume();
        options.onProbe?.({ kind: 'tcp', service, target: String(port), outcome: 'healthy' });
      });
      await listen(open, port);
    } else if (!wanted && open !== undefined) {
      options.onProbe?.({ kind: 'tcp', service, target: String(port), outcome: 'closed' });
      const closing = open;
      open = undefined;
      await closeServer(closing);
    }
  };
  await followFailures();
  // One after the other: two notices at once must not open the door twice.
  let queue = Promise.resolve();
  const watcher = watch(options.failures, () => {
    queue = queue.then(followFailures).catch((error: unknown) => {
      process.stderr.write(`${service}: ${String(error)}\n`);
    });
  });
  return {
    close: async () => {
      watcher.close();
      await queue;
      if (open !== undefined) await closeServer(open);
    },
  };
}

/** Stops listening; connections that are there stay. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close();
    // Not its callback, which waits for the last connection.
    setImmediate(resolve);
  });
}
