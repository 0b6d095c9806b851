import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  askBuckets,
  askKeycloak,
  askLedger,
  askTemporal,
  type ContentClients,
} from '../../../src/effects/drift/content-services.ts';
import { createRedactor } from '../../../src/clients/redact.ts';
import type { VaultSession } from '../../../src/clients/vault/index.ts';
import { miniCatalog } from '../../support/mini.ts';

const catalog = await miniCatalog();
const signal = new AbortController().signal;
const pod = { namespace: 'ns', release: 'server', pod: 'server-0' };
const keycloakPod = { ...pod, release: 'auth' };
const temporalPod = { ...pod, release: 'worker' };
const PASSWORD = 'a-password-of-keycloak';
const NAMESPACES = ['orders', 'billing'].map((name) => ({ name, retention: '72h', job: 'namespaces' }));

/** Instead of a port-forward a connection to a server of the test; Vault holds Keycloak's administrator. */
async function through(
  server: http.Server | http2.Http2Server,
  work: (clients: ContentClients) => Promise<void>,
): Promise<void> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const session = {
    read: () =>
      Promise.resolve({
        data: {
          data: { 'admin-username': 'admin', 'admin-password': PASSWORD },
          metadata: { version: 1, created_time: 'T' },
        },
      }),
  } as unknown as VaultSession;
  const clients = {
    catalog,
    redactor: createRedactor(),
    kubernetes: {
      connect: () =>
        new Promise((resolve, reject) => {
          const socket = net.connect(port, '127.0.0.1', () => {
            resolve(socket);
          });
          socket.once('error', reject);
        }),
    },
    vault: { asDeployer: (ask: (session: VaultSession) => Promise<unknown>) => ask(session) },
  } as unknown as ContentClients;
  try {
    await work(clients);
  } finally {
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  }
}

describe('Keycloak', () => {
  const keycloak = (answers: Record<string, [number, unknown]>): { server: http.Server; seen: string[] } => {
    const seen: string[] = [];
    const server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        seen.push(
          `${request.method} ${request.url?.split('?')[0]} ${request.headers.authorization ?? ''}${body.includes(PASSWORD) ? 'with the password' : ''}`.trim(),
        );
        const [status, answer] = answers[`${request.method} ${request.url?.split('?')[0]}`] ?? [500, ''];
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(answer));
      });
    });
    return { server, seen };
  };
  const realm = {
    'GET /realms/mini/.well-known/openid-configuration': [200, {}],
    'POST /realms/master/protocol/openid-connect/token': [200, { access_token: 'a.token' }],
  } as Record<string, [number, unknown]>;
  const all = catalog.realm!.clients.map(({ clientId, public: publicClient }) => ({
    clientId,
    publicClient,
    enabled: true,
  }));

  test('realm and clients are there: nothing; the password goes into the login alone', async () => {
    const { server, seen } = keycloak({
      ...realm,
      'GET /admin/realms/mini/clients': [200, [...all, { clientId: 'account' }]],
    });
    await through(server, async (clients) => {
      assert.deepEqual(await askKeycloak(clients, keycloakPod, catalog.realm!, signal), []);
      assert.deepEqual(seen, [
        'GET /realms/mini/.well-known/openid-configuration',
        'POST /realms/master/protocol/openid-connect/token with the password',
        'GET /admin/realms/mini/clients Bearer a.token',
      ]);
    });
  });

  test('a client less, and one that was switched off', async () => {
    const { server } = keycloak({
      ...realm,
      'GET /admin/realms/mini/clients': [
        200,
        all.slice(1).map((client) => ({ ...client, enabled: client.clientId !== 'api' })),
      ],
    });
    await through(server, async (clients) => {
      assert.deepEqual(
        (await askKeycloak(clients, keycloakPod, catalog.realm!, signal)).map(
          ({ kind, object, field, release, repair }) => [kind, object, field, release, repair],
        ),
        [
          ['missing', 'Client mini/web', undefined, 'auth-realm', 'job'],
          ['changed', 'Client mini/api', 'enabled', 'auth-realm', 'job'],
        ],
      );
    });
  });

  test('no realm: the Job; a refused login: an error without the password', async () => {
    await through(
      keycloak({ 'GET /realms/mini/.well-known/openid-configuration': [404, {}] }).server,
      async (clients) => {
        assert.deepEqual(
          (await askKeycloak(clients, keycloakPod, catalog.realm!, signal)).map(({ object, repair }) => [
            object,
            repair,
          ]),
          [['Realm mini', 'job']],
        );
      },
    );
    await through(
      keycloak({ ...realm, 'POST /realms/master/protocol/openid-connect/token': [401, { error: PASSWORD }] }).server,
      async (clients) => {
        await assert.rejects(askKeycloak(clients, keycloakPod, catalog.realm!, signal), {
          message: "login as Keycloak's administrator: 401",
        });
      },
    );
  });
});

test('Temporal: a namespace that it does not know is missing, any other refusal is an error', async () => {
  const server = http2.createServer();
  let refusal = '5';
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      assert.equal(headers[':path'], '/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace');
      const known = Buffer.concat(chunks).includes('orders');
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => {
        stream.sendTrailers(known ? { 'grpc-status': '0' } : { 'grpc-status': refusal, 'grpc-message': 'said%20so' });
      });
      stream.end(known ? Buffer.from([0, 0, 0, 0, 2, 0x0a, 0]) : undefined);
    });
  });
  await through(server, async (clients) => {
    assert.deepEqual(
      (await askTemporal(clients, temporalPod, NAMESPACES, signal)).map(({ kind, object, release }) => [
        kind,
        object,
        release,
      ]),
      [['missing', 'Temporal namespace billing', 'namespaces']],
    );
    refusal = '7';
    await assert.rejects(askTemporal(clients, temporalPod, NAMESPACES, signal), {
      message: 'DescribeNamespace billing: status 7 said so',
    });
  });
});

/** Commands run in a shell, with programs that print what they were given: quoting is not left to chance. */
test('commands in pods: passwords come from the container, and stand in no argument', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'content-'));
  try {
    await writeFile(join(folder, 'mc'), '#!/bin/sh\necho "{\\"key\\":\\"$1-$2-$3\\"}"\necho "$MC_HOST_server" >&2\n');
    await writeFile(
      join(folder, 'psql'),
      '#!/bin/sh\nfor last; do :; done\necho "1|V1__accounts.sql|1|t"\necho "$PGPASSWORD $last" >&2\n',
    );
    await Promise.all(['mc', 'psql'].map((name) => chmod(join(folder, name), 0o755)));
    const commands: string[] = [];
    const kubernetes = {
      exec: (_pod: unknown, _container: unknown, [program = '', ...args]: string[]) => {
        commands.push(args.join(' '));
        const stdout = execFileSync(program, args, {
          env: {
            PATH: `${folder}:/usr/bin:/bin`,
            MINIO_ROOT_USER: 'root',
            MINIO_ROOT_PASSWORD: PASSWORD,
            POSTGRES_PASSWORD: PASSWORD,
          },
          stdio: ['ignore', 'pipe', 'ignore'],
        }).toString();
        return Promise.resolve({ exitCode: 0, stdout, stderr: '' });
      },
    };
    const clients = { catalog, kubernetes, redactor: createRedactor() } as unknown as ContentClients;
    const [set] = catalog.bucketSets;
    const [migration] = catalog.migrations;
    assert.deepEqual(await askBuckets(clients, pod, { ...set!, buckets: ['ls---json-server'] }, signal), []);
    assert.deepEqual(
      await askLedger(clients, pod, migration!, [{ version: '1', script: 'V1__accounts.sql', checksum: 1 }], signal),
      [],
    );
    assert.doesNotMatch(commands.join('\n'), new RegExp(PASSWORD));
  } finally {
    await rm(folder, { recursive: true });
  }
});
