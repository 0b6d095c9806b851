/**
 * HTTP to the pods of Vault through the API server's port-forward, kept alive between requests that follow each other
 * closely. There is no local port that others on this machine could use. A pod that is replaced costs one new
 * port-forward. With several pods the active one is asked, unless one is named.
 */
import http from 'node:http';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import PQueue from 'p-queue';
import { isPodRunning } from '../../plan/health/index.ts';
import { type KubernetesClient, type KubernetesObject, paths } from '../kubernetes/index.ts';
import { VaultUnreachableError } from './errors.ts';
import { type StreamedAnswer, type StreamedRequest, streamed } from './streamed.ts';

export interface TunnelTarget {
  namespace: string;
  /** Instance label of the pods. */
  release: string;
  /** The container's port. */
  port: number;
  /**
   * Set where Vault answers over TLS: the name in its certificate, and the authority that the certificate is checked
   * against. `fresh`: read the authority anew instead of using the cached one.
   */
  tls?: { name: string; authority: (fresh?: boolean) => Promise<string> };
}

export interface TunnelRequest {
  method: string;
  /** With the leading slash. */
  path: string;
  headers: Record<string, string>;
  body?: string | undefined;
  signal?: AbortSignal | undefined;
  /**
   * 5 s when absent; setting up storage or plug-ins takes longer. Counted from when the request is sent, not from when
   * it was queued, as long as requests before it are answered.
   */
  timeoutSeconds?: number | undefined;
}

export interface Tunnel {
  /** @throws VaultUnreachableError, or the signal's reason */
  request(request: TunnelRequest): Promise<{ status: number; body: string }>;
  /** Over a connection of its own. @throws VaultUnreachableError, or the signal's reason */
  stream(request: StreamedRequest): Promise<StreamedAnswer>;
  /** Whether the release has any pod at all, running or not. */
  hasPod(signal?: AbortSignal): Promise<boolean>;
  /** Names of its running pods, the lowest number first. */
  pods(signal?: AbortSignal): Promise<string[]>;
  /** The same to one pod and no other. */
  at(pod: string): VaultWay;
  close(): void;
}

/** To one server, or to the one that is asked for all. */
export type VaultWay = Pick<Tunnel, 'request' | 'stream'>;

const TIMEOUT_SECONDS = 5;
/** A port-forward does not notice when the process behind it has ended, so none is kept for long. */
const IDLE_MILLISECONDS = 1500;
const REUSED_MILLISECONDS = 1500;
/** Opening a connection costs as much as fifty requests on one that is open. */
const CONNECTIONS = 3;

export function createTunnel(kubernetes: Pick<KubernetesClient, 'list' | 'connect'>, target: TunnelTarget): Tunnel {
  const all = async (signal?: AbortSignal): Promise<KubernetesObject[]> =>
    (
      await kubernetes.list(
        paths.pods(target.namespace),
        { labelSelector: `app.kubernetes.io/instance=${target.release}` },
        signal,
      )
    ).items;
  const pods = async (signal?: AbortSignal): Promise<string[]> =>
    (await all(signal))
      .filter(isPodRunning)
      .map(({ metadata }) => metadata.name)
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));

  const connect = async (pod: string): Promise<Duplex> => {
    const { tls: secure } = target;
    if (secure === undefined) return kubernetes.connect({ namespace: target.namespace, pod }, target.port);
    const open = (): Promise<Duplex> => kubernetes.connect({ namespace: target.namespace, pod }, target.port);
    const [authority, stream] = await Promise.all([secure.authority(), open()]);
    try {
      return await secured(stream, secure.name, authority);
    } catch (error) {
      // The certificate may be a new one, of a new authority.
      const now = await secure.authority(true);
      if (now === authority) throw error;
      return secured(await open(), secure.name, now);
    }
  };
  const ways = new Map<string, Way>();
  const at = (pod: string): Way => {
    const way = ways.get(pod) ?? createWay(() => connect(pod));
    ways.set(pod, way);
    return way;
  };
  const main = createWay(async () => {
    const running = await pods();
    if (running[0] === undefined)
      throw new VaultUnreachableError(`no pod of ${target.namespace}/${target.release} is running`);
    const pod = running.length === 1 ? running[0] : await mostUseful(running, at);
    return connect(pod);
  });

  return {
    request: main.request,
    stream: main.stream,
    hasPod: async (signal) => (await all(signal)).length > 0,
    pods,
    at,
    close: () => {
      for (const way of [main, ...ways.values()]) way.close();
    },
  };
}

/** Statuses of `sys/health`: active, or a standby that forwards requests. */
const USEFUL = [200, 429];

/** The active server, else one that is open, else the first: the answer is then that it is sealed. */
async function mostUseful(running: readonly string[], at: (pod: string) => Pick<Tunnel, 'request'>): Promise<string> {
  const states = await Promise.all(
    running.map(async (pod) => ({
      pod,
      status: await at(pod)
        .request({ method: 'GET', path: '/v1/sys/health', headers: {} })
        .then(
          ({ status }) => status,
          () => 0,
        ),
    })),
  );
  const ranked = [...USEFUL, 503]
    .map((wanted) => states.find(({ status }) => status === wanted))
    .find((found) => found !== undefined);
  return ranked?.pod ?? running[0] ?? '';
}

interface Way extends VaultWay {
  close(): void;
}

/** Requests over connections that are opened when they are needed and kept for a moment. */
function createWay(open: () => Promise<Duplex>): Way {
  const agent = new http.Agent({ keepAlive: true, scheduling: 'lifo' });
  // The agent itself does not count connections that are still being opened.
  const turns = new PQueue({ concurrency: CONNECTIONS });
  let answeredAt = 0;
  agent.createConnection = (_options, opened) => {
    open().then(
      (stream) => opened?.(null, asSocket(stream)),
      (error: unknown) => opened?.(error as Error, undefined as unknown as Duplex),
    );
    return undefined;
  };

  let active = 0;
  let idle: NodeJS.Timeout | undefined;
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    active += 1;
    clearTimeout(idle);
    try {
      return await work();
    } catch (error) {
      // After a failure the kept connections are closed: otherwise each waiting request would run into the same one.
      if (active === 1) agent.destroy();
      throw error;
    } finally {
      active -= 1;
      if (active === 0)
        idle = setTimeout(() => {
          agent.destroy();
        }, IDLE_MILLISECONDS).unref();
    }
  };

  const ask = async (request: TunnelRequest): Promise<{ status: number; body: string }> => {
    try {
      return await send(agent, request, REUSED_MILLISECONDS);
    } catch (error) {
      // That the pod or API server behind a kept connection has ended shows only when it is used.
      if (error instanceof Stale) return send(agent, request);
      throw error;
    }
  };

  return {
    request: (request) => {
      const { timeoutSeconds = TIMEOUT_SECONDS, method, path, signal } = request;
      const askedAt = performance.now();
      return counted(() =>
        turns.add(
          async () => {
            // When requests before it got no answer, the time that this one has waited in the queue counts as well.
            if (performance.now() - Math.max(askedAt, answeredAt) >= timeoutSeconds * 1000)
              throw new VaultUnreachableError(`Vault, ${method} ${path}: no answer within ${timeoutSeconds} s`);
            const answer = await ask(request);
            answeredAt = performance.now();
            return answer;
          },
          signal ? { signal } : {},
        ),
      );
    },
    stream: async (request) => {
      const { method, path, headers } = request;
      const connection = asSocket(await open());
      return streamed(request, () =>
        http.request({
          createConnection: () => connection,
          host: 'vault',
          method,
          path,
          headers: { ...headers, connection: 'close' },
        }),
      );
    },
    close: () => {
      clearTimeout(idle);
      agent.destroy();
    },
  };
}

class Stale extends VaultUnreachableError {}

/** @param reusedMilliseconds after which a kept connection that says nothing is taken for dead */
function send(
  agent: http.Agent,
  { method, path, headers, body, signal, timeoutSeconds = TIMEOUT_SECONDS }: TunnelRequest,
  reusedMilliseconds?: number,
): Promise<{ status: number; body: string }> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    // The host is never looked up: the agent opens the connection.
    const outgoing = http.request({
      agent,
      host: 'vault',
      method,
      path,
      headers: {
        ...headers,
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
      },
    });
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`no answer within ${timeoutSeconds} s`)),
      timeoutSeconds * 1000,
    );
    // Reading is harmless to repeat, so a kept connection that says nothing is given up early.
    const early =
      reusedMilliseconds === undefined
        ? undefined
        : setTimeout(() => {
            if (outgoing.reusedSocket && (method === 'GET' || method === 'LIST'))
              outgoing.destroy(new Error('the kept connection is dead'));
          }, reusedMilliseconds);
    const abort = (): void => {
      outgoing.destroy(signal?.reason as Error);
    };
    signal?.addEventListener('abort', abort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      clearTimeout(early);
      signal?.removeEventListener('abort', abort);
    };
    const fail = (error: NodeJS.ErrnoException, answered: boolean): void => {
      settle();
      const stale = outgoing.reusedSocket && !answered;
      if (signal?.aborted) reject(signal.reason as Error);
      else if (error instanceof VaultUnreachableError) reject(error);
      else
        reject(
          new (stale ? Stale : VaultUnreachableError)(`Vault, ${method} ${path}: ${error.message}`, { cause: error }),
        );
    };
    outgoing.once('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', (error) => fail(error, true));
      answer.once('end', () => {
        settle();
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
      });
    });
    outgoing.once('error', (error) => fail(error, false));
    outgoing.end(body);
  });
}

/** @throws VaultUnreachableError when it shows no certificate of that name and authority */
function secured(stream: Duplex, name: string, ca: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const secure = tls.connect({ socket: stream, ca, servername: name, minVersion: 'TLSv1.2' });
    const fail = (error: Error): void => {
      stream.destroy();
      reject(new VaultUnreachableError(`Vault, its certificate: ${error.message}`, { cause: error }));
    };
    secure.once('error', fail);
    secure.once('secureConnect', () => {
      secure.off('error', fail);
      resolve(secure);
    });
  });
}

/** The agent treats what it is given as a network socket, which a stream through a WebSocket is not. */
function asSocket(stream: Duplex): Duplex {
  const nothing = (): Duplex => stream;
  return Object.assign(stream, {
    setKeepAlive: nothing,
    setNoDelay: nothing,
    setTimeout: nothing,
    ref: nothing,
    unref: nothing,
  });
}
