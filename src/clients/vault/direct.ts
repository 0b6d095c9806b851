/** HTTP to a Vault outside the cluster, at its own address. */
import http from 'node:http';
import https from 'node:https';
import { VaultUnreachableError } from './errors.ts';
import { streamed } from './streamed.ts';
import type { Tunnel, TunnelRequest } from './tunnel.ts';

export interface DirectTarget {
  /** `https://HOST:PORT`; `http://` only where the network is trusted. */
  address: string;
  /** PEM; the system's authorities when absent. */
  ca?: string | undefined;
}

const TIMEOUT_SECONDS = 5;

export function createDirectTunnel({ address, ca }: DirectTarget): Tunnel {
  const { protocol, hostname, port, host } = new URL(address);
  const secure = protocol === 'https:';
  const agent = secure
    ? new https.Agent({ keepAlive: true, maxSockets: 4, ...(ca === undefined ? {} : { ca }) })
    : new http.Agent({ keepAlive: true, maxSockets: 4 });

  const request = ({
    method,
    path,
    headers,
    body,
    signal,
    timeoutSeconds = TIMEOUT_SECONDS,
  }: TunnelRequest): Promise<{ status: number; body: string }> => {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        if (signal?.aborted) reject(signal.reason as Error);
        else
          reject(
            new VaultUnreachableError(`Vault at ${address}, ${method} ${path}: ${error.message}`, { cause: error }),
          );
      };
      const options: https.RequestOptions = {
        agent,
        hostname,
        ...(port === '' ? {} : { port }),
        method,
        path,
        timeout: timeoutSeconds * 1000,
        ...(signal ? { signal } : {}),
        headers: {
          ...headers,
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
        },
      };
      const outgoing = (secure ? https : http).request(options, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('error', fail);
        answer.once('end', () => {
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
        });
      });
      outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer within ${timeoutSeconds} s`)));
      outgoing.once('error', fail);
      outgoing.end(body);
    });
  };

  const tunnel: Tunnel = {
    request,
    stream: (outgoing) => {
      const { method, path, headers } = outgoing;
      const options = { agent, hostname, ...(port === '' ? {} : { port }), method, path, headers };
      return streamed(outgoing, () => (secure ? https : http).request(options));
    },
    // Its pods, if it has any, are not visible from here, so it counts as present.
    hasPod: () => Promise.resolve(true),
    pods: () => Promise.resolve([host]),
    at: () => tunnel,
    close: () => {
      agent.destroy();
    },
  };
  return tunnel;
}
