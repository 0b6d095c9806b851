/**
 * Several servers, shares that people hold, key services: which server is initialised, who unseals, and who is waited
 * for.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createRedactor } from '../../../src/clients/redact.ts';
import { createVaultClient, type Tunnel, type VaultClient } from '../../../src/clients/vault/index.ts';
import { type FakeVault, fakeVault } from '../../support/fakes/vault.ts';

const OPTIONS = { shares: 3, threshold: 2, cluster: 'uid', replicas: 3, environment: 'prod' };
const PEOPLE = ['anna.asc', 'ben.asc', 'cleo.asc'].map((name) => ({
  name,
  base64: Buffer.from(name).toString('base64'),
}));

interface Parts {
  servers: FakeVault[];
  running: Set<string>;
  client: VaultClient;
  keysFile: string;
}

/** Three servers; those that are empty join as soon as one is initialised, as with `retry_join`. */
async function withServers(work: (parts: Parts) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'vaults-'));
  const keysFile = join(folder, 'vault-keys.json');
  const servers = [fakeVault(), fakeVault(), fakeVault()];
  const running = new Set(['vault-0', 'vault-1', 'vault-2']);
  const at = (pod: string): Pick<Tunnel, 'request' | 'stream'> => {
    const server = servers[Number(pod.slice(-1))]!;
    return {
      request: (request) => {
        if (!server.initialized && servers.some(({ inits }) => inits > 0)) {
          // Its shares are those of the one that it joins.
          const leader = servers.find(({ inits }) => inits > 0)!;
          void server.request({
            method: 'POST',
            path: '/v1/sys/init',
            headers: {},
            body: JSON.stringify(leader.initRequest),
          });
          server.inits = 0;
        }
        return server.request(request);
      },
      stream: server.stream,
    };
  };
  const tunnel: Tunnel = {
    at,
    request: (request) => at([...running][0]!).request(request),
    stream: (request) => at([...running][0]!).stream(request),
    pods: () => Promise.resolve([...running].sort()),
    hasPod: () => Promise.resolve(running.size > 0),
    close: () => undefined,
  };
  const client = createVaultClient({
    connection: { kubernetesHost: 'https://k', keysFile },
    environment: 'prod',
    tunnel,
    redactor: createRedactor(),
    kubernetes: {
      tokenFor: () => Promise.resolve({ token: 'a.service.account.token', expiresAt: Date.now() + 600_000 }),
    },
  });
  try {
    await work({ servers, running, client, keysFile });
  } finally {
    await rm(folder, { recursive: true });
  }
}

const initialisations = (servers: readonly FakeVault[]): number[] => servers.map(({ inits }) => inits);
const open = (servers: readonly FakeVault[]): boolean[] =>
  servers.map(({ initialized, sealed }) => initialized && !sealed);

describe('three servers', () => {
  test('the first is initialised, the others join, all are opened; again changes nothing', async () => {
    await withServers(async ({ servers, client }) => {
      assert.equal((await client.state()).state, 'uninitialized');
      assert.deepEqual(await client.open(OPTIONS), { initialized: true, unsealed: true });
      assert.deepEqual(
        [initialisations(servers), open(servers)],
        [
          [1, 0, 0],
          [true, true, true],
        ],
      );
      assert.deepEqual(await client.open(OPTIONS), { initialized: false, unsealed: false });
      assert.deepEqual(await client.state(), {
        state: 'open',
        detail: 'Vault 1.0.0 is open, 3 servers, active: vault-0',
      });
    });
  });

  test('one that was restarted is sealed: it is named, and opened alone', async () => {
    await withServers(async ({ servers, client }) => {
      await client.open(OPTIONS);
      servers[2]!.seal();
      assert.deepEqual(await client.state(), { state: 'sealed', detail: 'Vault 1.0.0 is sealed (vault-2)' });
      const asked = servers.map(({ requests }) => requests.length);
      assert.deepEqual(await client.open(OPTIONS), { initialized: false, unsealed: true });
      assert.deepEqual(
        servers.map(({ requests }, index) =>
          requests.slice(asked[index]).some((request) => request.includes('unseal')),
        ),
        [false, false, true],
      );
    });
  });

  test('nobody is initialised while one is away: it may hold the data', async () => {
    await withServers(async ({ servers, running, client }) => {
      running.delete('vault-2');
      await assert.rejects(client.open(OPTIONS), {
        name: 'VaultUnreachableError',
        message: /2 of 3 servers of Vault run/,
      });
      assert.deepEqual(initialisations(servers), [0, 0, 0]);
    });
  });

  test('a first server that has lost its volume joins the others, and is not initialised over them', async () => {
    await withServers(async ({ servers, client }) => {
      await client.open(OPTIONS);
      const lost = servers[0]!;
      servers[1]!.inits = 1;
      Object.assign(lost, { initialized: false, sealed: true, inits: 0 });
      assert.deepEqual(await client.open(OPTIONS), { initialized: false, unsealed: true });
      assert.deepEqual(
        [initialisations(servers), open(servers)],
        [
          [0, 1, 0],
          [true, true, true],
        ],
      );
    });
  });
});

describe('shares of people', () => {
  const options = { ...OPTIONS, publicKeys: PEOPLE };

  test('Vault is given the public keys; then everybody waits for their owners, by name and with their progress', async () => {
    await withServers(async ({ servers, client, keysFile }) => {
      await assert.rejects(client.open(options), {
        name: 'VaultSealedError',
        message:
          /waits to be unsealed by 2 of the 3 owners of its shares \(anna\.asc, ben\.asc, cleo\.asc\)\. vault-0: 0 of 2 shares given, vault-1.*npm run ananta -- vault unseal --env prod/,
      });
      assert.deepEqual(
        servers[0]!.initRequest['pgp_keys'],
        PEOPLE.map(({ base64 }) => base64),
      );
      const kept = JSON.parse(await readFile(keysFile, 'utf8')) as {
        encryptedFor: string[];
        rootToken: string;
        keys: string[];
      };
      assert.deepEqual(
        [kept.encryptedFor, kept.keys.length, servers[0]!.roots.has(kept.rootToken)],
        [['anna.asc', 'ben.asc', 'cleo.asc'], 3, true],
      );
      for (const { api } of await client.servers()) await api.unseal('a2V5LW9uZQ==');
      await assert.rejects(client.open(options), /vault-0: 1 of 2 shares given/);
      for (const { api } of await client.servers()) await api.unseal('a2V5LXR3bw==');
      assert.deepEqual(await client.open(options), { initialized: false, unsealed: false });
      assert.deepEqual(initialisations(servers), [1, 0, 0]);
    });
  });

  test('nobody here can make a root token: one is handed in, used, and revoked', async () => {
    await withServers(async ({ servers, client }) => {
      await client.open(options).catch(() => undefined);
      for (const { api } of await client.servers())
        for (const key of ['a2V5LW9uZQ==', 'a2V5LXR3bw==']) await api.unseal(key);
      await client.root.run((session) => session.read('sys/mounts'));
      assert.equal(await client.root.revoke(), true);
      await assert.rejects(
        client.root.run((session) => session.read('sys/mounts')),
        { name: 'VaultSealedError', message: /owners of its shares.*vault root --env prod/ },
      );
      await assert.rejects(client.root.accept('no-root'), { status: 403 });
      const [vault] = servers as [FakeVault];
      vault.roots.add('made-by-people');
      await client.root.accept('made-by-people');
      assert.deepEqual(
        [await client.root.isKept(), await client.root.revoke(), vault.roots.size, vault.generated],
        [true, true, 0, 0],
      );
    });
  });

  test('with a key for the root token not even the first one is kept in clear', async () => {
    await withServers(async ({ servers, client, keysFile }) => {
      await client.open({ ...options, rootTokenKey: PEOPLE[0]! }).catch(() => undefined);
      assert.equal(servers[0]!.initRequest['root_token_pgp_key'], PEOPLE[0]!.base64);
      const kept = JSON.parse(await readFile(keysFile, 'utf8')) as Record<string, unknown>;
      assert.deepEqual([kept['rootToken'], typeof kept['encryptedRootToken']], [undefined, 'string']);
      await assert.rejects(
        client.root.run(() => Promise.resolve()),
        /whoever can decrypt its first root token/,
      );
    });
  });
});

test('a key service opens Vault: recovery keys are kept and never used to unseal', async () => {
  await withServers(async ({ servers, client, keysFile }) => {
    assert.deepEqual(await client.open({ ...OPTIONS, autoUnseal: true, publicKeys: PEOPLE }), {
      initialized: true,
      unsealed: true,
    });
    assert.deepEqual(Object.keys(servers[0]!.initRequest).sort(), [
      'recovery_pgp_keys',
      'recovery_shares',
      'recovery_threshold',
    ]);
    assert.equal((JSON.parse(await readFile(keysFile, 'utf8')) as { recovery: boolean }).recovery, true);
    assert.ok(servers.every(({ requests }) => requests.every((request) => !request.includes('unseal'))));
  });
});
