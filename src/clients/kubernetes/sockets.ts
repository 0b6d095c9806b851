/**
 * WebSockets to pods through the API server: a port as a stream, a command with its exit code. client-node's handler
 * logs in and splits channels; its PortForward (no back pressure, a refused port is lost) and its Exec (a broken
 * connection never ends) are not used.
 */
import { Duplex, PassThrough, Readable } from 'node:stream';
import type { KubeConfig } from '@kubernetes/client-node';
import { WebSocketHandler } from '@kubernetes/client-node/dist/web-socket-handler.js';
import { z } from 'zod';
import { KubernetesError, UnreachableError } from './errors.ts';

/** What is used of a WebSocket of the `ws` package. */
interface Socket {
  send(data: Buffer, done?: (error?: Error) => void): void;
  close(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
  on(event: 'close', listener: (code: number, reason: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface ExecResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface PodAddress {
  namespace: string;
  pod: string;
}

const CONNECT_SECONDS = 10;
/** More output than this of one command is cut off: a probe's answer is short. */
const OUTPUT_LIMIT = 64 * 1024;

/**
 * Opens one connection to a port of a pod. It cannot be closed half: ending it closes it.
 * @throws UnreachableError, KubernetesError
 */
export async function connectToPod(
  config: KubeConfig,
  { namespace, pod }: PodAddress,
  port: number,
  signal?: AbortSignal,
): Promise<Duplex> {
  // Each of the two channels (data, error) begins with the port's number.
  const headerLeft = [2, 2];
  const opened: { socket?: Socket } = {};
  const duplex = new Duplex({
    read: () => {
      opened.socket?.resume();
    },
    write: (chunk: Buffer, _encoding, done) => {
      const frame = Buffer.allocUnsafe(chunk.length + 1);
      frame.writeUint8(0, 0);
      chunk.copy(frame, 1);
      opened.socket?.send(frame, (error) => done(error ?? null));
    },
    final: (done) => {
      opened.socket?.close();
      done();
    },
    destroy: (error, done) => {
      opened.socket?.terminate();
      done(error);
    },
  });
  // The pod's refusal may come before there is a listener, and an error without a listener ends the process.
  duplex.on('error', () => undefined);
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/portforward?ports=${port}`;
  const socket = await connect(
    config,
    path,
    (channel, data) => {
      const skip = Math.min(headerLeft[channel] ?? 0, data.length);
      headerLeft[channel] = (headerLeft[channel] ?? 0) - skip;
      const rest = data.subarray(skip);
      if (rest.length === 0) return true;
      if (channel === 1) {
        duplex.destroy(
          new UnreachableError(`port ${port} of pod ${namespace}/${pod}: ${rest.toString('utf8').trim()}`),
        );
        return false;
      }
      if (!duplex.push(rest)) opened.socket?.pause();
      return true;
    },
    signal,
  );
  opened.socket = socket;
  socket.on('close', () => {
    if (!duplex.readableEnded && !duplex.destroyed) duplex.push(null);
    duplex.end();
  });
  socket.on('error', (error) => duplex.destroy(error));
  if (duplex.destroyed)
    throw duplex.errored ?? new UnreachableError(`port ${port} of pod ${namespace}/${pod}: closed at once`);
  return duplex;
}

const statusSchema = z.looseObject({
  status: z.string().optional(),
  message: z.string().optional(),
  reason: z.string().optional(),
  details: z
    .looseObject({
      causes: z.array(z.looseObject({ reason: z.string().optional(), message: z.string().optional() })).nullish(),
    })
    .nullish(),
});
type Status = z.infer<typeof statusSchema>;

/**
 * Runs a command in a container.
 * @param container the pod's only or default one when absent
 * @param input goes to its standard input, which is not closed after it
 * @throws KubernetesError when the command could not be started, UnreachableError when the connection broke before its
 * end
 */
export async function execInPod(
  config: KubeConfig,
  { namespace, pod }: PodAddress,
  container: string | undefined,
  command: readonly string[],
  signal?: AbortSignal,
  input?: string,
): Promise<ExecResult> {
  const path = execPath({ namespace, pod }, command, { container, input });
  const output: Record<1 | 2, string> = { 1: '', 2: '' };
  let status: Status | undefined;
  const socket = await connect(
    config,
    path,
    (channel, data) => {
      if (channel === 3) {
        status = statusOf(data);
        return false;
      }
      if (channel === 1 || channel === 2)
        output[channel] = (output[channel] + data.toString('utf8')).slice(0, OUTPUT_LIMIT);
      return true;
    },
    signal,
  );
  // Channel 0 of the protocol is standard input.
  if (input !== undefined) socket.send(Buffer.concat([Buffer.of(0), Buffer.from(input, 'utf8')]));
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      socket.terminate();
      reject(signal?.reason as Error);
    };
    if (signal?.aborted) {
      abort();
      return;
    }
    signal?.addEventListener('abort', abort, { once: true });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
  });
  if (!status)
    throw new UnreachableError(`exec in pod ${namespace}/${pod}: the connection ended before the command did`);
  return { exitCode: exitCodeOf(status, `exec in pod ${namespace}/${pod}`), stdout: output[1], stderr: output[2] };
}

/** A command at work in a container, whose output may be large. */
export interface RunningExec {
  /** To be read to its end, or destroyed: that ends the command's connection. */
  stdout: Readable;
  /** Rejects with UnreachableError when the connection broke before the command's end. */
  ended: Promise<{ exitCode: number; stderr: string }>;
}

/** Of one frame to standard input. */
const FRAME_BYTES = 64 * 1024;

/**
 * As `execInPod`, with output and input as streams.
 * @param input goes to its standard input, which is not closed after it
 */
export async function streamFromPod(
  config: KubeConfig,
  { namespace, pod }: PodAddress,
  command: readonly string[],
  { input, signal }: { input?: AsyncIterable<Uint8Array> | undefined; signal?: AbortSignal | undefined } = {},
): Promise<RunningExec> {
  const path = execPath({ namespace, pod }, command, { input });
  const what = `exec in pod ${namespace}/${pod}`;
  const opened: { socket?: Socket } = {};
  let stderr = '';
  let status: Status | undefined;
  const stdout = new Readable({
    read: () => {
      opened.socket?.resume();
    },
    destroy: (error, done) => {
      opened.socket?.terminate();
      done(error);
    },
  });
  // Whoever waits for the end gets it as well.
  stdout.on('error', () => undefined);
  const socket = await connect(
    config,
    path,
    (channel, data) => {
      if (channel === 3) {
        status = statusOf(data);
        return false;
      }
      if (channel === 2) stderr = (stderr + data.toString('utf8')).slice(0, OUTPUT_LIMIT);
      if (channel === 1 && !stdout.push(data)) opened.socket?.pause();
      return true;
    },
    signal,
  );
  opened.socket = socket;
  const ended = new Promise<{ exitCode: number; stderr: string }>((resolve, reject) => {
    const abort = (): void => {
      stdout.destroy(signal?.reason as Error);
    };
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      signal?.removeEventListener('abort', abort);
      try {
        if (!status)
          throw signal?.aborted
            ? (signal.reason as Error)
            : new UnreachableError(`${what}: the connection ended before the command did`);
        stdout.push(null);
        resolve({ exitCode: exitCodeOf(status, what), stderr });
      } catch (error) {
        const problem = error as Error;
        stdout.destroy(problem);
        reject(problem);
      }
    });
  });
  ended.catch(() => undefined);
  if (input !== undefined)
    sendAll(socket, input).catch((error: unknown) => {
      stdout.destroy(error as Error);
    });
  return { stdout, ended };
}

/** One frame after the other, each when the one before has left. */
async function sendAll(socket: Socket, input: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of input)
    for (let from = 0; from < chunk.length; from += FRAME_BYTES) {
      const frame = Buffer.concat([Buffer.of(0), chunk.subarray(from, from + FRAME_BYTES)]);
      await new Promise<void>((resolve, reject) => {
        socket.send(frame, (error) => (error ? reject(error) : resolve()));
      });
    }
}

function execPath(
  { namespace, pod }: PodAddress,
  command: readonly string[],
  { container, input }: { container?: string | undefined; input: unknown },
): string {
  const query = new URLSearchParams({
    ...(input === undefined ? {} : { stdin: 'true' }),
    stdout: 'true',
    stderr: 'true',
  });
  if (container !== undefined) query.set('container', container);
  for (const part of command) query.append('command', part);
  return `/api/v1/namespaces/${namespace}/pods/${pod}/exec?${query.toString()}`;
}

/** What channel 3 of the protocol says at the end. */
function statusOf(data: Buffer): Status {
  return statusSchema.parse(JSON.parse(data.toString('utf8')));
}

function exitCodeOf(status: Status, request: string): number {
  if (status.status === 'Success') return 0;
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  if (cause !== undefined && /^\d+$/.test(cause)) return Number(cause);
  // Container runtimes that do not fill in the cause still say it in words.
  const words = /exit (?:status|code) (\d+)/.exec(status.message ?? '');
  if (words) return Number(words[1]);
  throw new KubernetesError(request, 500, status.reason ?? '', status.message ?? 'the command could not be run');
}

async function connect(
  config: KubeConfig,
  path: string,
  onData: (channel: number, data: Buffer) => boolean,
  signal?: AbortSignal,
): Promise<Socket> {
  signal?.throwIfAborted();
  // The handler ends these streams when a server says so; its defaults are the process's own.
  const nowhere = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const handler = new WebSocketHandler(config, undefined, nowhere);
  const opening = handler.connect(path, null, onData) as unknown as Promise<Socket>;
  return new Promise((resolve, reject) => {
    let ended = false;
    const end = (settle: () => void): void => {
      ended = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      settle();
    };
    const abort = (): void => end(() => reject(signal?.reason as Error));
    const timer = setTimeout(
      () => end(() => reject(new UnreachableError(`GET ${bare(path)}: no connection within ${CONNECT_SECONDS} s`))),
      CONNECT_SECONDS * 1000,
    );
    signal?.addEventListener('abort', abort, { once: true });
    opening.then(
      (socket) => (ended ? socket.terminate() : end(() => resolve(socket))),
      (error: unknown) => !ended && end(() => reject(refusal(path, error))),
    );
  });
}

/** The socket library says no more than the HTTP status. */
function refusal(path: string, error: unknown): Error {
  const message = (error as { message?: string }).message ?? String(error);
  const status = /Unexpected server response: (\d+)/.exec(message)?.[1];
  if (status === undefined)
    return new UnreachableError(`GET ${bare(path)}: ${message || 'the API server cannot be reached'}`);
  const words: Record<string, string> = {
    403: 'this is not allowed',
    404: 'the pod does not exist',
    400: 'the pod is not ready for it',
  };
  return new KubernetesError(
    `GET ${bare(path)}`,
    Number(status),
    status === '403' ? 'Forbidden' : '',
    words[status] ?? 'the API server refused the connection',
  );
}

function bare(path: string): string {
  return path.split('?')[0] ?? path;
}
