/** The worker's connections to the engine: they outlive keys and certificates, which are exchanged in their files. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import {
  closeTemporal,
  engineConnectionOptions,
  ensureSearchAttributes,
  openNamespace,
  reachEngine,
} from '../clients/temporal/index.ts';
import { workerVersions } from '../clients/temporal/versions.ts';
import type { Connections } from '../environment/connections.ts';

export interface EngineLink {
  /** For activities and for looking around. */
  readonly client: Client;
  /** For asking for work. */
  readonly connection: NativeConnection;
  close: () => Promise<void>;
}

export interface LinkOptions {
  /** Called with a new connection that is to be used from now on. */
  onReconnect: (connection: NativeConnection) => void;
  say: (text: string) => void;
}

const LOOK_EVERY_MILLISECONDS = 2000;

/** @throws EngineAccessError when the engine cannot be used as the environment says */
export async function openEngineLink(
  environment: string,
  engine: Connections['engine'],
  { onReconnect, say }: LinkOptions,
): Promise<EngineLink> {
  let client = await openNamespace(engine);
  try {
    const made = await ensureSearchAttributes(client, engine);
    if (made.length > 0) say(`Registered search attributes: ${made.join(', ')}`);
    await workerVersions(client, environment);
  } catch (error) {
    await closeTemporal(client);
    throw error;
  }
  const way = await reachEngine(engine);
  let options = await engineConnectionOptions(engine, way.address);
  let connection = await NativeConnection.connect(options);
  const before: NativeConnection[] = [];
  const ended = new AbortController();

  const renew = async (): Promise<void> => {
    const next = await engineConnectionOptions(engine, way.address);
    if (fingerprint(next.tls) !== fingerprint(options.tls)) {
      const [newClient, newConnection] = await Promise.all([openNamespace(engine), NativeConnection.connect(next)]);
      before.push(connection);
      await closeTemporal(client).catch(() => undefined);
      [client, connection] = [newClient, newConnection];
      onReconnect(newConnection);
      say('The certificate was exchanged: connected anew');
    } else if (next.apiKey !== undefined && next.apiKey !== options.apiKey) {
      await connection.setApiKey(next.apiKey);
      say('The API key was exchanged');
    }
    options = next;
  };
  const looking = (async (): Promise<void> => {
    let told = '';
    for (;;) {
      await sleep(LOOK_EVERY_MILLISECONDS, undefined, { signal: ended.signal }).catch(() => undefined);
      if (ended.signal.aborted) return;
      try {
        await renew();
        told = '';
      } catch (error) {
        // Half exchanged, perhaps; the connection that there is goes on.
        const text = error instanceof Error ? error.message : String(error);
        if (text !== told) say(`What is in the files of the engine's certificates and key cannot be used: ${text}`);
        told = text;
      }
    }
  })();
  if (!isExchangeable(engine)) ended.abort();

  return {
    get client() {
      return client;
    },
    get connection() {
      return connection;
    },
    close: async () => {
      ended.abort();
      await looking;
      await closeTemporal(client).catch(() => undefined);
      for (const each of [...before, connection]) await each.close().catch(() => undefined);
      await way.close();
    },
  };
}

function isExchangeable({ tls, apiKeyFile }: Connections['engine']): boolean {
  return apiKeyFile !== undefined || typeof tls === 'object';
}

function fingerprint(tls: Awaited<ReturnType<typeof engineConnectionOptions>>['tls']): string {
  if (typeof tls !== 'object') return String(tls);
  const hash = createHash('sha256');
  for (const part of [tls.serverRootCACertificate, tls.clientCertPair?.crt, tls.clientCertPair?.key])
    hash.update(part ?? '').update('\0');
  return hash.digest('hex');
}
