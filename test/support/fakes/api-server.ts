/** A small API server over plain HTTP: lists, watches that can be cut, and answers written by the test. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '../../../src/clients/kubernetes/kubeconfig/kubeconfig-class.ts';

export interface FakeRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export type Answer = { status?: number; body?: unknown; text?: string; date?: string } | 'hang' | 'cut';

export interface FakeApiServer {
  url: string;
  kubeconfig: () => KubeConfig;
  requests: FakeRequest[];
  /** Number of TCP connections made so far. */
  connections: () => number;
  /** Answers everything that is not a watch. */
  answer: (respond: (request: FakeRequest) => Answer) => void;
  /** Sends an event to every open watch of the path. */
  emit: (path: string, event: unknown) => void;
  /** Resolves when a watch of the path is open. */
  watched: (path: string) => Promise<void>;
  /** Ends the open watches: in good order, or as a crash would. */
  endWatches: (how: 'end' | 'cut') => void;
  /** How the next watches are answered, instead of being kept open: all of them, or those of one path. */
  refuseWatches: (answer: Answer | undefined, path?: string) => void;
  /** As if the process were killed: connections die, new ones are refused. */
  stop: () => Promise<void>;
  start: () => Promise<void>;
  close: () => Promise<void>;
}

export async function fakeApiServer(): Promise<FakeApiServer> {
  let port = 0;
  let connections = 0;
  let server: http.Server | undefined;
  let respond: (request: FakeRequest) => Answer = () => ({
    status: 404,
    body: status(404, 'NotFound', 'there is no such thing'),
  });
  let watchAnswer: Answer | undefined;
  let refusedPath: string | undefined;
  const requests: FakeRequest[] = [];
  const watches = new Map<string, Set<http.ServerResponse>>();
  const awaited = new Map<string, Set<() => void>>();

  const handle = async (incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of incoming) body += String(chunk);
    const url = new URL(incoming.url ?? '/', 'http://fake');
    const request: FakeRequest = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body,
    };
    requests.push(request);
    const isWatch = url.searchParams.get('watch') === 'true';
    const answer = isWatch
      ? refusedPath === undefined || refusedPath === request.path
        ? watchAnswer
        : undefined
      : respond(request);
    if (answer === 'hang') return;
    if (answer === 'cut') {
      incoming.socket.destroy();
      return;
    }
    if (answer !== undefined) {
      outgoing.writeHead(answer.status ?? 200, {
        'content-type': 'application/json',
        ...(answer.date === undefined ? {} : { date: answer.date }),
      });
      outgoing.end(answer.text ?? JSON.stringify(answer.body ?? {}));
      return;
    }
    outgoing.writeHead(200, { 'content-type': 'application/json' });
    outgoing.flushHeaders();
    const group = watches.get(url.pathname) ?? new Set();
    watches.set(url.pathname, group.add(outgoing));
    outgoing.on('close', () => group.delete(outgoing));
    for (const resolve of awaited.get(url.pathname) ?? []) resolve();
    awaited.delete(url.pathname);
  };

  const start = (): Promise<void> =>
    new Promise((resolve) => {
      server = http.createServer((incoming, outgoing) => {
        void handle(incoming, outgoing);
      });
      server.on('connection', () => {
        connections += 1;
      });
      server.listen(port, '127.0.0.1', () => {
        port = (server?.address() as AddressInfo).port;
        resolve();
      });
    });
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server?.close(() => {
        resolve();
      });
      server?.closeAllConnections();
    });
  await start();

  return {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    kubeconfig: () => kubeconfigFor(`http://127.0.0.1:${port}`),
    requests,
    connections: () => connections,
    answer: (next) => {
      respond = next;
    },
    emit: (path, event) => {
      for (const watch of watches.get(path) ?? []) watch.write(`${JSON.stringify(event)}\n`);
    },
    watched: (path) =>
      new Promise((resolve) => {
        if ((watches.get(path)?.size ?? 0) > 0) {
          resolve();
          return;
        }
        awaited.set(path, (awaited.get(path) ?? new Set()).add(resolve));
      }),
    endWatches: (how) => {
      for (const watch of [...watches.values()].flatMap((group) => [...group])) {
        if (how === 'end') watch.end();
        else watch.socket?.destroy();
      }
    },
    refuseWatches: (answer, path) => {
      watchAnswer = answer;
      refusedPath = path;
    },
    stop,
    start,
    close: stop,
  };
}

export function kubeconfigFor(server: string, token?: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'fake', server, skipTLSVerify: true }],
    users: [{ name: 'fake', ...(token === undefined ? {} : { token }) }],
    contexts: [{ name: 'fake', cluster: 'fake', user: 'fake' }],
    currentContext: 'fake',
  });
  return config;
}

export function status(code: number, reason: string, message: string): unknown {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
}

/** An object as lists and watches carry it. */
export function object(
  name: string,
  resourceVersion: number,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const { metadata, ...rest } = more as { metadata?: Record<string, unknown> };
  return {
    metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion: String(resourceVersion), ...metadata },
    ...rest,
  };
}

export function list(resourceVersion: number, ...items: unknown[]): { body: unknown } {
  return { body: { kind: 'List', metadata: { resourceVersion: String(resourceVersion) }, items } };
}
