/** The way to an engine elsewhere through a proxy of the environment: one answer for the client and for the worker. */
import type { ChannelOptions } from '@grpc/grpc-js';
import type { Connections } from '../../../environment/connections.ts';
import { proxyFor } from '../../../process/proxies.ts';
import { EngineAccessError } from '../errors.ts';

/** As NativeConnection takes it. */
export interface EngineProxy {
  type: 'http-connect';
  /** host:port */
  targetHost: string;
  basicAuth?: { username: string; password: string };
}

/**
 * HTTPS_PROXY, whether the engine answers over TLS or not: a connection of gRPC is always handed on by CONNECT.
 * @returns undefined for the straight way
 * @throws EngineAccessError for a proxy that no connection of gRPC goes through
 */
export function engineProxy({
  address,
  proxies,
}: Pick<Connections['engine'], 'address' | 'proxies'>): EngineProxy | undefined {
  const proxy = proxies && proxyFor(`https://${address}`, proxies);
  if (proxy === undefined) return undefined;
  const url = URL.parse(proxy);
  if (url?.protocol !== 'http:')
    throw unusable(
      address,
      url === null ? 'it is no address' : `it begins with ${url.protocol}//, and gRPC goes through http:// only`,
    );
  const [username, password] = [decoded(address, url.username), decoded(address, url.password)];
  // The worker's library splits them there.
  if (/[:@]/.test(username + password)) throw unusable(address, 'its name or password holds ":" or "@"');
  return {
    type: 'http-connect',
    targetHost: `${url.hostname}:${url.port || '80'}`,
    ...(username === '' ? {} : { basicAuth: { username, password } }),
  };
}

/** For @grpc/grpc-js, which would look at the environment by itself and read NO_PROXY in another way. */
export function proxiedChannel(
  address: string,
  proxy: EngineProxy | undefined,
): { address: string; channelArgs: ChannelOptions } {
  const direct = { 'grpc.enable_http_proxy': 0 };
  if (proxy === undefined) return { address, channelArgs: direct };
  const { targetHost, basicAuth } = proxy;
  return {
    address: targetHost,
    channelArgs: {
      ...direct,
      'grpc.http_connect_target': `dns:${address}`,
      'grpc.default_authority': address,
      ...(basicAuth && { 'grpc.http_connect_creds': `${basicAuth.username}:${basicAuth.password}` }),
    },
  };
}

function decoded(address: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unusable(address, 'its name or password is not percent-encoded');
  }
}

/** Never with the proxy's address: a password may be in it. */
function unusable(address: string, why: string): EngineAccessError {
  return new EngineAccessError(`The proxy that HTTPS_PROXY names cannot be used for the engine (${address}): ${why}`, [
    `Name an http:// proxy, or add the engine's host to NO_PROXY.`,
  ]);
}
