/**
 * A real Temporal server in memory, as somebody else runs one for us: TLS, clients with certificates, an authorizer
 * that asks for API keys. Temporal's own program, built once from the module beside this file with the pins of the
 * tool's.
 */
import { spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { claimPorts, type Ports } from '../../bootstrap/process/ports.ts';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { ensureEngine } from '../../src/clients/temporal/connection/setup.ts';
import { whyUnreachable } from '../../src/clients/temporal/connection/connect.ts';
import { grpcText } from '../../src/clients/temporal/connection/problems.ts';
import { ENGINE_NAMESPACE } from '../../src/contract/names.ts';
import { goProgram } from './programs/go-program.ts';
import { type Certificates, certificates } from './servers/tls.ts';

/** @returns undefined where the program is not built yet and there is no Go to build it */
export function temporalServerProgram(): Promise<string | undefined> {
  return goProgram({ name: 'temporal-server', version: '1.29.1', package: 'go.temporal.io/server/cmd/server' });
}

/** What the authorizer lets a key do: a namespace, or `temporal-system` for all of it, and a role. */
export type Permission = `${string}:${'read' | 'write' | 'admin' | 'worker'}`;

export interface SecuredTemporal {
  port: number;
  /** By this name a certificate of the client is not asked for, by 127.0.0.1 it is. */
  host: 'localhost';
  /** Of the authority that has issued the server's certificate and issues those of its clients. */
  tls: Certificates;
  /** An API key as a file holds it. */
  key: (permissions: readonly Permission[], forSeconds?: number) => string;
  close: () => Promise<void>;
}

const SERVICES = ['frontend', 'internal-frontend', 'history', 'matching', 'worker'] as const;
/** As the embedded engine: the queues of a single shard are asked more often than by default. */
const DYNAMIC_CONFIG = Object.fromEntries(
  ['transfer', 'timer', 'visibility'].map((queue) => [`history.${queue}ProcessorMaxPollRPS`, [{ value: 1000 }]]),
);

/**
 * With the namespace `ananta` and our search attributes.
 * @param folder its own: certificates, configuration
 */
export async function startTemporalServer(
  program: string,
  folder: string,
  { authorizer = true } = {},
): Promise<SecuredTemporal> {
  await mkdir(join(folder, 'config'), { recursive: true });
  const tls = await certificates(join(folder, 'tls'));
  const issuer = await keyIssuer();
  const names = SERVICES.flatMap((service) => [service, `${service}-members`]);
  const ports = await claimPorts({ file: join(folder, 'ports.json'), names, inUseByUs: new Set() });
  await writeFile(join(folder, 'config', 'dynamic.yaml'), stringify(DYNAMIC_CONFIG));
  await writeFile(
    join(folder, 'config', 'test.yaml'),
    stringify(configuration(folder, ports, tls, authorizer ? issuer.address : undefined)),
  );

  const child = spawn(
    program,
    [
      '--root',
      folder,
      '--config',
      'config',
      '--env',
      'test',
      'start',
      ...SERVICES.flatMap((service) => ['--service', service]),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { HOME: folder, PATH: '' } },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
    });
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => {
      resolve();
    }),
  );
  const close = async (): Promise<void> => {
    // Nothing of it is kept.
    child.kill('SIGKILL');
    await ended;
    await issuer.close();
    await rm(folder, { recursive: true, force: true });
  };
  const port = ports['frontend'] as number;
  const apiKeyFile = join(folder, 'administrator.key');
  await writeFile(apiKeyFile, issuer.key(['temporal-system:admin'], 600), { mode: 0o600 });
  const engine = {
    address: `localhost:${port}`,
    namespace: ENGINE_NAMESPACE,
    tls: { ca: tls.ca },
    ...(authorizer ? { apiKeyFile } : {}),
  };
  try {
    await waitUntil('the Temporal server', { timeoutMs: 60_000, intervalMs: 200 }, async () => {
      if (child.exitCode !== null) throw new Error(`the Temporal server ended with ${child.exitCode}:\n${said}`);
      return (await whyUnreachable(engine, 1)) === undefined ? true : undefined;
    });
    // Its services find each other by and by.
    await waitUntil('the namespace', { timeoutMs: 60_000, intervalMs: 300 }, () =>
      ensureEngine(engine).catch((error: unknown) => {
        if (!/unavailable|deadline|hosts|not ready|shard/i.test(grpcText(error))) throw error;
        return undefined;
      }),
    );
  } catch (error) {
    await close();
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said}`, { cause: error });
  }
  return { port, host: 'localhost', tls, key: issuer.key, close };
}

function configuration(
  folder: string,
  ports: Ports,
  { ca, cert, key }: Certificates,
  keySource: string | undefined,
): object {
  const store = {
    sql: {
      pluginName: 'sqlite',
      databaseName: 'default',
      connectAddr: 'localhost',
      connectProtocol: 'tcp',
      connectAttributes: { mode: 'memory', cache: 'private' },
      maxConns: 1,
      maxIdleConns: 1,
      maxConnLifetime: '1h',
    },
  };
  const own = { certFile: cert, keyFile: key };
  return {
    log: { stdout: true, level: 'error' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: 1,
      datastores: { default: store, visibility: store },
    },
    global: {
      membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' },
      tls: {
        frontend: {
          server: { ...own, requireClientAuth: true, clientCaFiles: [ca] },
          hostOverrides: { localhost: { ...own, requireClientAuth: false } },
          client: { serverName: 'localhost', rootCaFiles: [ca] },
        },
      },
      ...(keySource === undefined
        ? {}
        : {
            authorization: {
              authorizer: 'default',
              claimMapper: 'default',
              permissionsClaimName: 'permissions',
              jwtKeyProvider: { keySourceURIs: [keySource], refreshInterval: '1m' },
            },
          }),
    },
    services: Object.fromEntries(
      SERVICES.map((service) => [
        service,
        { rpc: { grpcPort: ports[service], membershipPort: ports[`${service}-members`], bindOnLocalHost: true } },
      ]),
    ),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: {
          enabled: true,
          initialFailoverVersion: 1,
          rpcName: 'frontend',
          rpcAddress: `localhost:${ports['frontend']}`,
        },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: join(folder, 'config', 'dynamic.yaml'), pollInterval: '10s' },
  };
}

/** Signs keys, and gives the server the key with which they are checked. */
async function keyIssuer(): Promise<{ address: string; key: SecuredTemporal['key']; close: () => Promise<void> }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' }] }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    key: (permissions, forSeconds = 3600) =>
      webToken(privateKey, { sub: 'ananta', permissions, exp: Math.floor(Date.now() / 1000) + forSeconds }),
    close: () => closed(server),
  };
}

function webToken(key: KeyObject, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'ES256', typ: 'JWT', kid: 'one' })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
