/** `ananta codec serve`: encrypted histories in the Temporal UI, for whoever may see them. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { historyCodec } from '../../clients/temporal/encryption/index.ts';
import { type Connections, resolveConnections } from '../../environment/connections.ts';
import { isLoopback, listenAddress, type ListenAddress } from '../../environment/fields/telemetry.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { watchInterrupts } from '../deploy/interrupt.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { printLines } from '../shared/terminal.ts';
import { allowByCluster, allowByToken } from './admission.ts';
import { createCodecServer } from './http.ts';
import { requireEncryption } from './ring-file.ts';

export interface ServeOptions {
  env: string;
  listen?: string;
  uiOrigin?: string[];
  tlsCert?: string;
  tlsKey?: string;
  authorize?: 'token' | 'cluster';
}

const TOKEN_BYTES = 24;

export async function serveCodec({ config, terminal }: CliContext, options: ServeOptions): Promise<void> {
  const environment = await loadEnvironment(options.env, config);
  requireEncryption(environment, config);
  const { engine, kubernetes } = await resolveConnections(environment, config);
  const { address, token } = placeOf(engine, options.listen);
  const authorize = options.authorize ?? (isLoopback(address) ? 'token' : 'cluster');
  const tls = await tlsOf(options);
  if (!isLoopback(address) && (tls === undefined || authorize === 'token'))
    throw refused(
      `${options.listen ?? ''} can be reached from other machines: there histories are decrypted over TLS alone, for whoever the cluster lets.`,
      '--tls-cert FILE --tls-key FILE   (and no --authorize token)',
    );
  const origins = options.uiOrigin ?? (engine.uiAddress === undefined ? [] : [new URL(engine.uiAddress).origin]);
  if (origins.length === 0)
    throw refused(
      `Where the web interface of the engine of "${options.env}" is, its file does not say: browsers would be let in from nowhere.`,
      '--ui-origin https://temporal.example.com   (as the browser shows it, without a path)',
    );
  const { codec } = await historyCodec(engine);
  const say = (text: string): void => printLines(terminal.stderr, [text]);
  const server = createCodecServer({
    codec,
    namespace: engine.namespace,
    origins: origins.flatMap(sameOnLoopback),
    allow: authorize === 'token' ? allowByToken(token) : allowByCluster(kubernetes, say),
    tls,
    say,
    // Not known yet: the port may be any that is free.
    hosts: isLoopback(address) ? () => hostsOf(server.address() as AddressInfo) : undefined,
  });
  const interrupts = watchInterrupts();
  try {
    server.listen({ host: address.host, port: address.port });
    await Promise.race([once(server, 'listening'), failed(server, address)]);
    const { port } = server.address() as AddressInfo;
    const base = `${tls === undefined ? 'http' : 'https'}://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`;
    printLines(terminal.stdout, [authorize === 'token' ? `${base}/${token}` : base]);
    printLines(terminal.stderr, [
      engine.codecEndpoint === undefined || options.listen !== undefined
        ? `Enter this address in the Temporal UI (the glasses at its top right), for pages of ${origins.join(', ')}.`
        : `The Temporal UI at ${engine.uiAddress ?? ''} asks there by itself.`,
      'Open until Ctrl-C.',
    ]);
    if (!interrupts.signal.aborted) await once(interrupts.signal, 'abort');
  } finally {
    server.close();
    server.closeAllConnections();
    interrupts.dispose();
  }
}

/** The UI of an embedded engine was started with an address: there, unless another one is said. */
function placeOf(
  { codecEndpoint }: Connections['engine'],
  listen: string | undefined,
): { address: ListenAddress; token: string } {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  if (listen !== undefined) {
    const address = listenAddress(listen);
    if (address.host === '' || !Number.isInteger(address.port) || address.port < 0 || address.port > 65_535)
      throw refused(`--listen has to be HOST:PORT, and is "${listen}".`);
    return { address, token };
  }
  if (codecEndpoint === undefined) return { address: { host: '127.0.0.1', port: 0 }, token };
  const { hostname, port, pathname } = new URL(codecEndpoint);
  return { address: { host: hostname, port: Number(port) }, token: pathname.slice(1) };
}

async function tlsOf({ tlsCert, tlsKey }: ServeOptions): Promise<{ cert: Buffer; key: Buffer } | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) throw refused('--tls-cert and --tls-key are given together.');
  const read = (path: string): Promise<Buffer> =>
    readFile(path).catch((error: unknown) => {
      throw refused(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    });
  return { cert: await read(tlsCert), key: await read(tlsKey) };
}

/** A browser calls the same UI by both names. @returns origins as browsers send them: without a default port */
export function sameOnLoopback(origin: string): string[] {
  const url = URL.parse(origin);
  if (url === null) return [origin];
  const other = url.hostname === '127.0.0.1' ? 'localhost' : url.hostname === 'localhost' ? '127.0.0.1' : undefined;
  const { origin: own } = url;
  if (other === undefined) return [own];
  url.hostname = other;
  return [own, url.origin];
}

function hostsOf({ port }: AddressInfo): string[] {
  return ['127.0.0.1', 'localhost', '[::1]'].map((host) => `${host}:${port}`);
}

async function failed(server: ReturnType<typeof createCodecServer>, { host, port }: ListenAddress): Promise<never> {
  const [error] = (await once(server, 'error')) as [NodeJS.ErrnoException];
  throw refused(
    `${host}:${port} cannot be listened on (${error.code ?? error.message})${error.code === 'EADDRINUSE' ? ': something else listens there, perhaps another codec serve' : ''}.`,
    '--listen 127.0.0.1:PORT',
  );
}
