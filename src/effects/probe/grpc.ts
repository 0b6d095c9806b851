/** The gRPC health protocol over a port-forward: one small message each way, so no client library is needed. */
import http2 from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Health } from '../../catalog/schema.ts';
import { authorityOf, type ProbeContext, type ProbeResult, type ProbeTarget } from './types.ts';

const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const SERVING = 1;
const TIMEOUT_MILLISECONDS = 5000;

export async function probeGrpc(
  context: ProbeContext,
  target: ProbeTarget,
  health: Extract<Health, { kind: 'grpc' }>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const stream = await context.kubernetes.connect(target, health.port, signal);
  const what = `gRPC health of ${health.service === '' ? 'the server' : health.service}`;
  try {
    const { status, error } = await check(stream, authorityOf(target), health.service, signal);
    if (error !== undefined) return { ok: false, text: `${what}: ${error}` };
    return { ok: status === SERVING, text: `${what}: ${STATUS_NAMES[status] ?? status}` };
  } finally {
    stream.destroy();
  }
}

/** @returns the serving status, or what the server said instead */
async function check(
  stream: Duplex,
  authority: string,
  service: string,
  signal: AbortSignal,
): Promise<{ status: number; error?: string }> {
  const { code, message, body } = await callOnce(
    stream,
    authority,
    '/grpc.health.v1.Health/Check',
    encodeRequest(service),
    signal,
  );
  if (code !== undefined && code !== 0) return { status: 0, error: `status ${code} ${message}`.trim() };
  return body === undefined ? { status: 0, error: `HTTP ${message}` } : { status: decodeResponse(body) };
}

export interface GrpcAnswer {
  /** gRPC's status; undefined when the server sent none. */
  code: number | undefined;
  message: string;
  /** The framed message; undefined when there was none. */
  body: Buffer | undefined;
}

/** One message each way over a stream that is used for nothing else. @param frame the message in gRPC's frame */
export function callOnce(
  stream: Duplex,
  authority: string,
  path: string,
  frame: Buffer,
  signal: AbortSignal,
): Promise<GrpcAnswer> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://${authority}`, { createConnection: () => stream });
    const fail = (error: Error): void => {
      session.destroy();
      reject(error);
    };
    const abort = (): void => fail(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    session.once('close', () => signal.removeEventListener('abort', abort));
    session.once('error', fail);
    const call = session.request({
      ':method': 'POST',
      ':path': path,
      ':authority': authority,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    call.setTimeout(TIMEOUT_MILLISECONDS, () => fail(new Error(`no answer within ${TIMEOUT_MILLISECONDS / 1000} s`)));
    call.once('error', fail);
    const chunks: Buffer[] = [];
    let trailers: http2.IncomingHttpHeaders = {};
    call.once('response', (headers: http2.IncomingHttpHeaders) => {
      trailers = headers;
    });
    call.once('trailers', (headers: http2.IncomingHttpHeaders) => {
      trailers = headers;
    });
    call.on('data', (chunk: Buffer) => chunks.push(chunk));
    call.once('end', () => {
      session.close();
      const code = String(trailers['grpc-status'] ?? '');
      resolve({
        code: code === '' ? undefined : Number(code),
        message:
          trailers['grpc-message'] === undefined
            ? String(trailers[':status'] ?? 'without a status')
            : decodeURIComponent(String(trailers['grpc-message'])),
        body: chunks.length === 0 ? undefined : Buffer.concat(chunks),
      });
    });
    call.end(frame);
  });
}

/** `HealthCheckRequest { string service = 1; }` in gRPC's frame: a flag byte and a length of four. */
export function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service, 'utf8');
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const frame = Buffer.alloc(5);
  frame.writeUint32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

/** `HealthCheckResponse { ServingStatus status = 1; }`: field 1 as a varint, left out when it is 0. */
export function decodeResponse(frame: Buffer): number {
  return frame.length >= 7 && frame[5] === 0x08 ? (frame[6] ?? 0) : 0;
}
