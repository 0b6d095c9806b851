/**
 * Proxies of the environment, read as Go's programs (Helm, kubectl) read them, which share them with us: NO_PROXY with
 * address ranges, which proxy-from-env does not know. Loopback addresses are never reached through one.
 */
import { BlockList, isIP } from 'node:net';

type Variables = Readonly<Record<string, string | undefined>>;

export interface Proxies {
  /** For https:// */
  https?: string | undefined;
  /** For http:// */
  http?: string | undefined;
  /** Hosts that are reached without. */
  direct: readonly string[];
}

/** In every form that some library knows: some match addresses, some ranges, some texts alone. */
const LOOPBACK = ['localhost', '127.0.0.1', '127.0.0.0/8', '::1', '[::1]'];
const PROXY = /^(https?|all|grpc)_proxy$/i;

/**
 * For our own process and for those that it starts.
 * @returns what has to be set over the given variables; nothing where no proxy is named
 */
export function directLoopback(env: Variables): Record<string, string> {
  if (!Object.entries(env).some(([name, value]) => PROXY.test(name) && (value ?? '') !== '')) return {};
  const hosts = [...new Set([...listed(env['no_proxy']), ...listed(env['NO_PROXY']), ...LOOPBACK])].join(',');
  // gRPC looks at its own list first, and at the other only where that is empty.
  const grpc = listed(env['no_grpc_proxy']);
  return {
    no_proxy: hosts,
    NO_PROXY: hosts,
    ...(grpc.length === 0 ? {} : { no_grpc_proxy: [...new Set([...grpc, ...LOOPBACK])].join(',') }),
  };
}

export function proxiesOf(env: Variables): Proxies {
  const named = (name: string): string | undefined => env[name] || env[name.toUpperCase()] || undefined;
  return {
    https: named('https_proxy'),
    http: named('http_proxy'),
    direct: [...new Set([...listed(env['no_proxy']), ...listed(env['NO_PROXY'])])],
  };
}

function listed(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** @returns address of the proxy by which kubectl would go there; undefined for the straight way */
export function proxyFor(address: string, { https, http, direct }: Proxies): string | undefined {
  const url = new URL(address);
  const proxy = url.protocol === 'https:' ? https : http;
  if (proxy === undefined) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (isLoopback(host) || direct.some((entry) => matches(entry.toLowerCase(), host, port))) return undefined;
  return /^[a-z0-9+.-]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\./.test(host);
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const [, name = '', ofPort] = /^(\[[^\]]*\]|[^:]*|.*:.*:.*)(?::(\d+))?$/.exec(entry) ?? [];
  if (ofPort !== undefined && ofPort !== port) return false;
  const bare = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '.');
  if (bare.includes('/')) return inRange(bare, host);
  if (isIP(bare) !== 0) return bare === host;
  return bare.startsWith('.') ? host.endsWith(bare) : host === bare || host.endsWith(`.${bare}`);
}

function inRange(range: string, host: string): boolean {
  const [net = '', prefix = ''] = range.split('/');
  const [family, version] = [isIP(net), isIP(host)];
  if (family === 0 || family !== version || !/^\d{1,3}$/.test(prefix) || Number(prefix) > (family === 4 ? 32 : 128))
    return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(net, Number(prefix), type);
  return list.check(host, type);
}
