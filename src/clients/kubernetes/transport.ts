/**
 * HTTP to the API server over few kept-alive TLS connections. client-node's generated API makes a new agent, and with
 * it a new TLS handshake, for every request; here it supplies identity and certificates only.
 */
import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { steadyNow } from '../../process/clock.ts';
import { errorFromAnswer, KubeconfigError, UnexpectedAnswerError, UnreachableError } from './errors.ts';
import { ClusterLoginError } from './kubeconfig/login.ts';

export interface ApiRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Starts with a slash, without the query. */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  contentType?: string;
  accept?: string;
  signal?: AbortSignal | undefined;
  /** Until the whole answer is there; 15 s. */
  timeoutSeconds?: number;
}

export interface Transport {
  /**
   * @returns the parsed JSON answer. @throws KubernetesError, UnreachableError, UnexpectedAnswerError, or the signal's
   * reason
   */
  call(request: ApiRequest): Promise<unknown>;
  /** As `call`, for answers that are not JSON. */
  text(request: ApiRequest): Promise<string>;
  /** Opens a long answer; the caller reads and destroys it. `timeoutSeconds` covers the time until it begins. */
  stream(request: ApiRequest): Promise<http.IncomingMessage>;
  /** Milliseconds of the epoch by the API server's clock, from its last answer; by this machine's before the first. */
  serverTime(): number;
  /** The kubeconfig in use, read again after a 401. */
  kubeconfig(): KubeConfig;
  close(): void;
}

interface Access {
  headers: Record<string, string>;
  agent: http.Agent;
  until: number;
}

const DEFAULT_TIMEOUT_SECONDS = 15;
/** Tokens from files and plug-ins are asked for again after this time. */
const ACCESS_MILLISECONDS = 10_000;

/**
 * @param forgetLogin drops a login that was refused, such as a plug-in's token, so that the next request asks for a new
 * one
 */
export function createTransport(load: () => KubeConfig, forgetLogin: () => void = () => undefined): Transport {
  let config = load();
  const server = new URL(serverOf(config));
  const agents = new Map<string, http.Agent>();
  let access: Promise<Access> | undefined;
  let seen: { server: number; here: number } | undefined;

  const current = async (): Promise<Access> => {
    const known = await access;
    if (known && known.until > Date.now()) return known;
    access = readAccess(config, server, agents);
    access.catch(() => {
      access = undefined;
    });
    return access;
  };

  const ask = async (request: ApiRequest): Promise<http.IncomingMessage> => {
    const answer = await send(server, await current(), request);
    const date = Date.parse(answer.headers.date ?? '');
    if (!Number.isNaN(date)) seen = { server: date, here: steadyNow() };
    return answer;
  };
  const open = async (request: ApiRequest): Promise<http.IncomingMessage> => {
    const answer = await ask(request);
    if (answer.statusCode !== 401) return answer;
    answer.resume();
    // A token has run out or been replaced: the kubeconfig is read again, once.
    forgetLogin();
    config = load();
    access = undefined;
    return ask(request);
  };
  const text = async (request: ApiRequest): Promise<string> => {
    const answer = await open(request);
    return finish(request, answer, await readAll(request, answer));
  };
  return {
    text,
    call: async (request) => parseAnswer(request, await text(request)),
    stream: async (request) => {
      const answer = await open(request);
      if (isGood(answer)) return answer;
      throw errorFromAnswer(requestLine(request), answer.statusCode ?? 0, await readAll(request, answer));
    },
    serverTime: () => (seen === undefined ? Date.now() : seen.server + steadyNow() - seen.here),
    kubeconfig: () => config,
    close: () => {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

function serverOf(config: KubeConfig): string {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig names no cluster');
  return cluster.server;
}

async function readAccess(config: KubeConfig, server: URL, agents: Map<string, http.Agent>): Promise<Access> {
  const options: https.RequestOptions = { headers: {} };
  try {
    await config.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0]);
  } catch (error) {
    if (error instanceof KubeconfigError || error instanceof ClusterLoginError) throw error;
    throw new KubeconfigError(
      `What the kubeconfig names for the log-in to ${server.host} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value);
  if (options.auth) headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return { headers, agent: agentFor(config, server, options, agents), until: Date.now() + ACCESS_MILLISECONDS };
}

function agentFor(
  config: KubeConfig,
  server: URL,
  options: https.RequestOptions,
  agents: Map<string, http.Agent>,
): http.Agent {
  // Behind a proxy client-node's own agent knows the way.
  if (config.getCurrentCluster()?.proxyUrl) return options.agent as http.Agent;
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  const id = createHash('sha256')
    .update(
      JSON.stringify(
        [ca, cert, key, servername, rejectUnauthorized].map((part) =>
          Buffer.isBuffer(part) ? part.toString('base64') : part,
        ),
      ),
    )
    .digest('hex');
  let agent = agents.get(id);
  if (!agent) {
    const keep = { keepAlive: true, keepAliveMsecs: 30_000, maxFreeSockets: 16, scheduling: 'lifo' as const };
    agent =
      server.protocol === 'http:'
        ? new http.Agent(keep)
        : new https.Agent({
            ...keep,
            ca,
            cert,
            key,
            ...(servername === undefined ? {} : { servername }),
            ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
          });
    agents.set(id, agent);
  }
  return agent;
}

async function send(server: URL, access: Access, request: ApiRequest): Promise<http.IncomingMessage> {
  try {
    return await sendOnce(server, access, request);
  } catch (error) {
    // The server closed an idle connection just when it was used again. All that is sent here may safely be sent twice.
    if (error instanceof StaleConnection) return sendOnce(server, access, request);
    throw error;
  }
}

class StaleConnection extends UnreachableError {}

function sendOnce(server: URL, access: Access, request: ApiRequest): Promise<http.IncomingMessage> {
  request.signal?.throwIfAborted();
  const payload = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
  const library = server.protocol === 'http:' ? http : https;
  return new Promise((resolve, reject) => {
    const outgoing = library.request(server, {
      agent: access.agent,
      method: request.method ?? 'GET',
      path: pathOf(server, request),
      headers: {
        ...access.headers,
        'user-agent': 'ananta-deploy',
        accept: request.accept ?? 'application/json',
        ...(payload
          ? { 'content-type': request.contentType ?? 'application/json', 'content-length': payload.length }
          : {}),
      },
    });
    const seconds = request.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
    const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${seconds} s`)), seconds * 1000);
    const abort = (): void => {
      outgoing.destroy(request.signal?.reason instanceof Error ? request.signal.reason : new Error('aborted'));
    };
    request.signal?.addEventListener('abort', abort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', abort);
    };
    outgoing.once('response', (answer) => {
      settle();
      resolve(answer);
    });
    outgoing.once('error', (error: NodeJS.ErrnoException) => {
      settle();
      const stale = outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      reject(
        request.signal?.aborted
          ? (request.signal.reason as Error)
          : new (stale ? StaleConnection : UnreachableError)(
              `${requestLine(request)}: the API server at ${server.host} cannot be reached: ${error.message}`,
              { cause: error },
            ),
      );
    });
    outgoing.end(payload);
  });
}

function pathOf(server: URL, request: ApiRequest): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value !== undefined) query.append(name, String(value));
  }
  const prefix = server.pathname.replace(/\/$/, '');
  return `${prefix}${request.path}${query.size > 0 ? `?${query.toString()}` : ''}`;
}

function readAll(request: ApiRequest, answer: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const seconds = request.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
    const fail = (why: string): void => {
      answer.destroy();
      reject(
        request.signal?.aborted
          ? (request.signal.reason as Error)
          : new UnreachableError(`${requestLine(request)}: ${why}`),
      );
    };
    const timer = setTimeout(() => fail(`the answer was not complete within ${seconds} s`), seconds * 1000);
    const abort = (): void => fail('aborted');
    request.signal?.addEventListener('abort', abort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', abort);
    };
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.once('end', () => {
      settle();
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    answer.once('error', (error) => {
      settle();
      fail(`the answer was cut off: ${error.message}`);
    });
  });
}

function finish(request: ApiRequest, answer: http.IncomingMessage, body: string): string {
  if (isGood(answer)) return body;
  throw errorFromAnswer(requestLine(request), answer.statusCode ?? 0, body);
}

function parseAnswer(request: ApiRequest, body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    // Perhaps a page of a proxy. Its content is left out of the message.
    throw new UnexpectedAnswerError(requestLine(request), 'it is no JSON');
  }
}

function isGood(answer: http.IncomingMessage): boolean {
  return answer.statusCode !== undefined && answer.statusCode >= 200 && answer.statusCode < 300;
}

/** `GET /api/v1/...`, without the query: for messages. */
export function requestLine(request: ApiRequest): string {
  return `${request.method ?? 'GET'} ${request.path}`;
}
