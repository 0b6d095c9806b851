/**
 * HTTP for downloads. Node's own modules and not `fetch`, so that connecting has a limit of its own and a blocked
 * network is noticed within seconds.
 */
import http from 'node:http';
import https from 'node:https';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { AnantaError } from '../../src/contract/errors.ts';
import { describeError } from './errors.ts';
import type { ToolEnvironment } from './types.ts';

/** How long a server may take, in milliseconds. */
export interface NetworkTimeouts {
  /**
   * Name look-up, connection and TLS together. Short: a blocked network must be noticed before anything else can be
   * tried.
   */
  connect: number;
  /** From the connection to the first line of the answer. */
  answer: number;
  /** Between two pieces of the body. */
  silence: number;
  /** Before a cut download is tried once more. */
  pause: number;
}

export const DEFAULT_TIMEOUTS: NetworkTimeouts = { connect: 5_000, answer: 20_000, silence: 30_000, pause: 1_000 };

/** The host cannot be reached at all; asking it for something else would end the same. */
export class HostUnreachableError extends AnantaError {
  override name = 'HostUnreachableError';
}

/** The server answered, but not with the file. */
export class HttpStatusError extends AnantaError {
  override name = 'HttpStatusError';
  readonly status: number;

  constructor(url: URL, status: number) {
    super(`${url.href} answered ${status} ${http.STATUS_CODES[status] ?? ''}`.trim());
    this.status = status;
  }
}

const MAX_REDIRECTS = 5;

/** Undefined: the host can be reached. */
type Verdict = Promise<HostUnreachableError | undefined>;

/**
 * HTTP for one run. The first request to a host finds out whether it can be reached; all others wait for that and share
 * the verdict. Proxies are taken from the environment that is passed in (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).
 */
export class Network {
  readonly timeouts: NetworkTimeouts;
  readonly #hosts = new Map<string, Verdict>();
  readonly #http: http.Agent;
  readonly #https: https.Agent;

  constructor(env: ToolEnvironment, timeouts: NetworkTimeouts = DEFAULT_TIMEOUTS) {
    this.timeouts = timeouts;
    const proxyEnv = { ...env };
    this.#http = new http.Agent({ proxyEnv });
    this.#https = new https.Agent({ proxyEnv });
  }

  /**
   * Asks for a file and follows redirects, never from TLS to plain HTTP.
   * @returns the answer with status 200, its body not yet read
   * @throws HostUnreachableError, HttpStatusError, the signal's reason
   */
  async get(address: string, signal?: AbortSignal): Promise<IncomingMessage> {
    let url = new URL(address);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const response = await this.#ask(url, signal);
      const status = response.statusCode ?? 0;
      if (status === 200) return response;
      response.destroy();
      const { location } = response.headers;
      if (status < 300 || status > 399 || location === undefined) throw new HttpStatusError(url, status);
      const next = new URL(location, url);
      if (next.protocol !== url.protocol && next.protocol !== 'https:') {
        throw new Error(`${url.host} redirects to ${next.protocol}//${next.host}, which is not secured`);
      }
      url = next;
    }
    throw new Error(`${address} redirects more than ${MAX_REDIRECTS} times`);
  }

  async #ask(url: URL, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    const known = this.#hosts.get(url.host);
    if (known !== undefined) {
      const verdict = await known;
      if (verdict !== undefined) throw verdict;
      return this.#request(url, signal, () => undefined);
    }
    const { promise: connected, resolve: onConnected } = Promise.withResolvers<undefined>();
    const response = this.#request(url, signal, () => onConnected(undefined));
    const failed = response.then(
      () => undefined,
      (error: unknown) => (error instanceof HostUnreachableError ? error : undefined),
    );
    this.#hosts.set(url.host, Promise.race([connected, failed]));
    return response;
  }

  #request(url: URL, signal: AbortSignal | undefined, connected: () => void): Promise<IncomingMessage> {
    const secure = url.protocol === 'https:';
    const options: RequestOptions = {
      agent: secure ? this.#https : this.#http,
      headers: { 'user-agent': 'ananta-deploy' },
    };
    if (signal !== undefined) options.signal = signal;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = (secure ? https : http).get(url, options);
    let isConnected = false;
    let timer = setTimeout(() => {
      request.destroy(new Error(`no connection within ${this.timeouts.connect / 1000} s`));
    }, this.timeouts.connect);
    const onConnected = (): void => {
      isConnected = true;
      connected();
      clearTimeout(timer);
      timer = setTimeout(() => {
        request.destroy(new Error(`no answer within ${this.timeouts.answer / 1000} s`));
      }, this.timeouts.answer);
    };
    request.once('socket', (socket) => {
      if (!socket.connecting) onConnected();
      else socket.once(secure ? 'secureConnect' : 'connect', onConnected);
    });
    request.once('response', (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    request.once('error', (error) => {
      clearTimeout(timer);
      if (signal?.aborted === true) reject(signal.reason as Error);
      else if (isConnected) reject(new Error(`${url.host}: ${describeError(error)}`));
      else reject(new HostUnreachableError(`${url.host} cannot be reached: ${describeError(error)}`));
    });
    return promise;
  }
}
