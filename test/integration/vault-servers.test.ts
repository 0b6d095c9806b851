/** Vault on raft with real servers: from one to three, one lost, a volume lost, shares of people, a key service. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { createTunnel, readPublicKey, VaultError } from '../../src/clients/vault/index.ts';
import { openAgain } from '../../src/effects/backup/restore-vault.ts';
import { checkSnapshot, pathVersions } from '../../src/effects/backup/vault.ts';
import { commandScope } from '../../src/effects/effect.ts';
import { removePeers } from '../../src/effects/vault/remove-peers.ts';
import { GPG, operators } from '../support/vault/operators.ts';
import { certificates, OPENSSL } from '../support/servers/tls.ts';
import { type VaultServers, vaultServers } from '../support/vault/vault-servers.ts';

const OPTIONS = { shares: 3, threshold: 2, cluster: 'uid' };

async function peers({ client }: VaultServers): Promise<string[]> {
  const answer = (await client.root.run((session) => session.read('sys/storage/raft/configuration'))) as {
    data: { config: { servers: { node_id: string; voter: boolean }[] } };
  };
  return answer.data.config.servers
    .filter(({ voter }) => voter)
    .map(({ node_id: id }) => id)
    .sort();
}

/** A server that has joined becomes a voter a little later. */
async function threeVoters(servers: VaultServers): Promise<void> {
  await waitUntil('three voters', { timeoutMs: 60_000, intervalMs: 300 }, async () =>
    (await peers(servers).catch(() => [])).length === 3 ? true : undefined,
  );
}

/** The data in pieces, as a connection delivers them. */
async function* pieces(whole: Buffer): AsyncGenerator<Buffer> {
  for (let from = 0; from < whole.length; from += 60_000) yield whole.subarray(from, from + 60_000);
}

/** A new mount of KV refuses everything for a moment. */
function eventually(work: () => Promise<unknown>): Promise<true> {
  return waitUntil('the mount', { timeoutMs: 30_000, intervalMs: 100 }, () =>
    work().then(
      () => true as const,
      () => undefined,
    ),
  );
}

async function activeOf({ client }: VaultServers): Promise<string | undefined> {
  const states = await Promise.all(
    (await client.servers()).map(async ({ name, api }) => ({
      name,
      health: await api.health().catch(() => undefined),
    })),
  );
  return states.find(({ health }) => health !== undefined && !health.sealed && !health.standby)?.name;
}

describe('three real servers of Vault', () => {
  test('one grows to three; the active one is lost and comes back; a volume is lost and filled again; back to one', async () => {
    const servers = await vaultServers({ count: 3 });
    const { client } = servers;
    try {
      await servers.start(0, 1);
      assert.deepEqual(await client.open(OPTIONS), { initialized: true, unsealed: true });
      await client.root.run(async (session) => {
        await session.write('sys/mounts/kept', { type: 'kv' });
        await session.write('kept/value', { it: 'stays' });
      });

      await servers.stop(0);
      await Promise.all([0, 1, 2].map((index) => servers.start(index, 3)));
      assert.deepEqual(await client.open({ ...OPTIONS, replicas: 3 }), { initialized: false, unsealed: true });
      await threeVoters(servers);
      assert.match((await client.state()).detail, /^Vault \S+ is open, 3 servers, active: vault-0$/);

      await servers.kill(0);
      await waitUntil('another active server', { timeoutMs: 60_000, intervalMs: 200 }, async () =>
        (await activeOf(servers)) === undefined ? undefined : true,
      );
      const read = (): Promise<unknown> => client.root.run((session) => session.read('kept/value'));
      assert.deepEqual(((await read()) as { data: object }).data, { it: 'stays' });
      await servers.start(0, 3);
      assert.deepEqual(await client.state().then(({ state, detail }) => [state, /vault-0/.test(detail)]), [
        'sealed',
        true,
      ]);
      assert.deepEqual(await client.open({ ...OPTIONS, replicas: 3 }), { initialized: false, unsealed: true });

      await servers.kill(2, { wipe: true });
      await servers.start(2, 3);
      assert.deepEqual(await client.open({ ...OPTIONS, replicas: 3 }), { initialized: false, unsealed: true });
      assert.deepEqual(((await read()) as { data: object }).data, { it: 'stays' });
      assert.equal((await client.state()).state, 'open');

      // And back to one: those that go leave raft first, whoever of them is active.
      await threeVoters(servers);
      const leave = (): Promise<string[]> =>
        removePeers({ vault: client }, ['vault-2', 'vault-1'], commandScope(new AbortController().signal));
      if ((await activeOf(servers)) === 'vault-0') {
        await client.root.run((session) => session.write('sys/step-down', {}));
        await waitUntil('another active server', { timeoutMs: 60_000, intervalMs: 200 }, async () =>
          ['vault-1', 'vault-2'].includes((await activeOf(servers)) ?? '') ? true : undefined,
        );
      }
      assert.deepEqual((await leave()).sort(), ['vault-1', 'vault-2']);
      assert.deepEqual(await leave(), []);
      await eventually(async () => assert.deepEqual(await peers(servers), ['vault-0']));
      await Promise.all([servers.stop(1), servers.stop(2)]);
      await servers.stop(0);
      await servers.start(0, 1);
      assert.deepEqual(await client.open(OPTIONS), { initialized: false, unsealed: true });
      assert.deepEqual(((await read()) as { data: object }).data, { it: 'stays' });
    } finally {
      await servers.close();
    }
  });

  test('shares that belong to people: Vault encrypts them, nobody here can open it, three owners do', {
    skip: GPG === undefined && 'needs gpg',
  }, async () => {
    const servers = await vaultServers({ count: 3 });
    const people = await operators(['anna', 'ben', 'cleo']);
    try {
      const publicKeys = await Promise.all(people.publicKeys.map(readPublicKey));
      const options = { ...OPTIONS, replicas: 3, publicKeys };
      await Promise.all([0, 1, 2].map((index) => servers.start(index, 3)));
      await assert.rejects(servers.client.open(options), {
        name: 'VaultSealedError',
        message: /waits to be unsealed by 2 of the 3 owners of its shares \(anna\.asc, ben\.asc, cleo\.asc\)/,
      });

      const kept = JSON.parse(await readFile(servers.keysFile, 'utf8')) as { keys: string[] };
      const share = (index: number): Promise<string> => people.decrypt(kept.keys[index]!);
      for (const index of [0, 2]) {
        const own = await share(index);
        for (const { api } of await servers.client.servers())
          if ((await api.health()).initialized) await api.unseal(own);
      }
      // Those that have joined only now get the same shares: as `ananta vault unseal` gives them to all that are
      // sealed.
      await waitUntil('all servers open', { timeoutMs: 60_000, intervalMs: 500 }, async () => {
        const sealed = [];
        for (const { name, api } of await servers.client.servers()) {
          const { initialized, sealed: closed } = await api.health();
          if (!closed) continue;
          sealed.push(name);
          if (initialized) for (const index of [0, 2]) await api.unseal(await share(index));
        }
        return sealed.length === 0 ? true : undefined;
      });
      assert.deepEqual(await servers.client.open(options), { initialized: false, unsealed: false });

      await servers.client.root.revoke();
      await assert.rejects(
        servers.client.root.run(() => Promise.resolve()),
        /owners of its shares.*vault operator generate-root/,
      );
    } finally {
      await people.close();
      await servers.close();
    }
  });

  test('a key service opens it at the start and after each restart', async () => {
    const service = await vaultServers({ count: 1 });
    let servers: VaultServers | undefined;
    try {
      await service.start(0, 1);
      await service.client.open({ ...OPTIONS, shares: 1, threshold: 1 });
      await service.client.root.run(async (session) => {
        await session.write('sys/mounts/transit', { type: 'transit' });
        await session.write('transit/keys/unseal', {});
      });
      const { rootToken } = JSON.parse(await readFile(service.keysFile, 'utf8')) as { rootToken: string };
      servers = await vaultServers({
        count: 1,
        env: { VAULT_TOKEN: rootToken },
        seal: {
          type: 'transit',
          parameters: {
            address: service.address(0),
            key_name: 'unseal',
            mount_path: 'transit/',
            disable_renewal: 'true',
          },
          serviceAccountAnnotations: {},
        },
      });
      const { client } = servers;
      const options = { ...OPTIONS, autoUnseal: true };
      await servers.start(0, 1);
      assert.deepEqual(await client.open(options), { initialized: true, unsealed: true });
      const kept = JSON.parse(await readFile(servers.keysFile, 'utf8')) as { recovery: boolean; keys: string[] };
      assert.deepEqual([kept.recovery, kept.keys.length], [true, 3]);
      await servers.kill(0);
      await servers.start(0, 1);
      assert.equal((await client.open(options)).initialized, false);
      assert.equal((await client.state()).state, 'open');
      // Recovery keys make a root token when the first one is gone.
      await client.root.revoke();
      await client.root.run((session) => session.read('sys/mounts'));
      assert.equal(await client.root.revoke(), true);
    } finally {
      await servers?.close();
      await service.close();
    }
  });

  test('a snapshot goes into another Vault: sealed then, opened with the old keys, and it holds what it held', async () => {
    const [one, two] = await Promise.all([vaultServers({ count: 1 }), vaultServers({ count: 1 })]);
    const scope = commandScope(AbortSignal.timeout(120_000));
    try {
      await Promise.all([one.start(0, 1), two.start(0, 1)]);
      await Promise.all([one.client.open(OPTIONS), two.client.open(OPTIONS)]);
      const large = randomBytes(200_000).toString('hex');
      for (const { client } of [one, two])
        await client.root.run((session) =>
          session.write('sys/mounts/secret', { type: 'kv', options: { version: '2' } }),
        );
      const before = await one.client.root.run(async (session) => {
        for (const name of ['one', 'folder/two', 'folder/two', 'folder/deep/three', 'large'])
          await eventually(() => session.write(`secret/data/${name}`, { data: { it: 'stays', large } }));
        return pathVersions(session);
      });
      assert.deepEqual(before, { 'folder/deep/three': 1, 'folder/two': 2, large: 1, one: 1 });
      const snapshot = await one.client.root.run(async (session) =>
        buffer(await session.download('sys/storage/raft/snapshot')),
      );
      assert.ok((await checkSnapshot(pieces(snapshot))).index > 0);
      const damaged = Buffer.from(snapshot);
      damaged[snapshot.length >> 1]! ^= 1;
      await assert.rejects(checkSnapshot(pieces(damaged)));
      await assert.rejects(checkSnapshot(pieces(snapshot.subarray(0, snapshot.length >> 1))));

      const { id } = await one.client.health();
      assert.notEqual((await two.client.health()).id, id);
      await two.client.root.run((session) =>
        session.upload('sys/storage/raft/snapshot-force', Readable.from(pieces(snapshot), { objectMode: false })),
      );
      await waitUntil('sealed', { timeoutMs: 60_000, intervalMs: 100 }, async () =>
        (await two.client.state()).state === 'sealed' ? true : undefined,
      );
      const { rootToken: _not, ...keys } = (await one.client.keys.read())!;
      await openAgain({ vault: two.client }, { keys }, scope);
      assert.deepEqual((await two.client.keys.read())?.keys, keys.keys);
      assert.equal((await two.client.health()).id, id);
      assert.deepEqual(await two.client.root.run((session) => pathVersions(session)), before);
      // Refusals come as words, and with the status.
      await assert.rejects(
        two.client.api.withToken('none').download('sys/storage/raft/snapshot'),
        (error: Error) => error instanceof VaultError && error.status === 403,
      );
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });

  test('over TLS: checked against its authority and name; plain HTTP and other certificates are refused', {
    skip: OPENSSL === undefined && 'needs openssl',
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vault-tls-'));
    const tls = await certificates(join(folder, 'own'));
    const servers = await vaultServers({ count: 1, tls });
    try {
      await servers.start(0, 1);
      assert.deepEqual(await servers.client.open({ ...OPTIONS, shares: 1, threshold: 1 }), {
        initialized: true,
        unsealed: true,
      });
      assert.match((await servers.client.state()).detail, /is open/);
      const clear = await fetch(`${servers.address(0)}/v1/sys/health`);
      assert.deepEqual([clear.status, /HTTP request to an HTTPS server/.test(await clear.text())], [400, true]);

      const port = Number(new URL(servers.address(0)).port);
      const asked = async (name: string, ca: string): Promise<number> => {
        const tunnel = createTunnel(
          {
            list: () =>
              Promise.resolve({
                metadata: { resourceVersion: '1' },
                items: [{ metadata: { name: 'vault-0', uid: '', resourceVersion: '1' }, status: { phase: 'Running' } }],
              }),
            connect: () => Promise.resolve(connect(port, '127.0.0.1')),
          },
          { namespace: 'vault-system', release: 'vault', port, tls: { name, authority: () => readFile(ca, 'utf8') } },
        );
        try {
          return (await tunnel.request({ method: 'GET', path: '/v1/sys/health', headers: {} })).status;
        } finally {
          tunnel.close();
        }
      };
      assert.equal(await asked('localhost', tls.ca), 200);
      const other = await certificates(join(folder, 'other'));
      await assert.rejects(asked('localhost', other.ca), {
        name: 'VaultUnreachableError',
        message: /its certificate: /,
      });
      await assert.rejects(asked('vault.vault-system.svc', tls.ca), {
        name: 'VaultUnreachableError',
        message: /its certificate: .*vault\.vault-system\.svc/,
      });
    } finally {
      await servers.close();
      await rm(folder, { recursive: true });
    }
  });
});
