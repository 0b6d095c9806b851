import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createRedactor } from '../../../src/clients/redact.ts';
import { createVaultClient, readKv, type VaultClient, versionOfKv, writeKv } from '../../../src/clients/vault/index.ts';
import { type FakeVault, fakeVault } from '../../support/fakes/vault.ts';

const OPTIONS = { shares: 3, threshold: 2, cluster: 'uid' };

async function withVault(
  work: (parts: { vault: FakeVault; client: VaultClient; keysFile: string; folder: string }) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'vault-'));
  const keysFile = join(folder, 'vault-keys.json');
  const vault = fakeVault();
  const client = createVaultClient({
    connection: { kubernetesHost: 'https://k', keysFile },
    tunnel: vault,
    redactor: createRedactor(),
    kubernetes: {
      tokenFor: () => Promise.resolve({ token: 'a.service.account.token', expiresAt: Date.now() + 600_000 }),
    },
  });
  try {
    await work({ vault, client, keysFile, folder });
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('opening Vault', () => {
  test('initialises once, keeps keys and root token, unseals with as many keys as needed', async () => {
    await withVault(async ({ vault, client, keysFile, folder }) => {
      assert.deepEqual(await client.state(), { state: 'uninitialized', detail: 'Vault 1.0.0 is not initialised' });
      assert.deepEqual(await client.open(OPTIONS), { initialized: true, unsealed: true });
      assert.deepEqual(await client.open(OPTIONS), { initialized: false, unsealed: false });
      vault.seal();
      assert.equal((await client.state()).state, 'sealed');
      assert.deepEqual(await client.open(OPTIONS), { initialized: false, unsealed: true });
      assert.equal(vault.inits, 1);
      const kept = JSON.parse(await readFile(keysFile, 'utf8')) as { keys: string[]; rootToken: string };
      assert.equal(kept.keys.length, 3);
      assert.ok(vault.roots.has(kept.rootToken));
      assert.equal((await stat(keysFile)).mode & 0o777, 0o600);
      assert.deepEqual(await readdir(folder), ['vault-keys.json']);
    });
  });

  test('cut at any request, before or after it was processed: the next attempt ends the same, with one initialisation', async () => {
    for (const when of ['before', 'after'] as const) {
      for (let number = 1; number <= 8; number += 1) {
        await withVault(async ({ vault, client, keysFile }) => {
          vault.cutAt(number, when);
          const failed = await client.open(OPTIONS).then(
            () => false,
            () => true,
          );
          vault.heal();
          if (
            failed &&
            vault.inits === 1 &&
            !(await stat(keysFile).then(
              () => true,
              () => false,
            ))
          ) {
            await assert.rejects(client.open(OPTIONS), {
              name: 'VaultKeysMissingError',
              message: /never arrived.*delete its data volume/s,
            });
          } else {
            await client.open(OPTIONS);
            assert.equal((await client.state()).state, 'open');
          }
          assert.equal(vault.inits, 1, `cut ${when} request ${number}`);
        });
      }
    }
  });

  test('sealed, and no keys: a person is asked, nothing is initialised', async () => {
    await withVault(async ({ vault, client, keysFile }) => {
      await client.open(OPTIONS);
      vault.seal();
      await unlink(keysFile);
      await assert.rejects(client.open(OPTIONS), {
        name: 'VaultKeysMissingError',
        message: /Restore it from your backup/,
      });
      assert.equal(vault.inits, 1);
    });
  });

  test('keys of another Vault do not open it, and that is said', async () => {
    await withVault(async ({ vault, client, keysFile }) => {
      await client.open(OPTIONS);
      vault.seal();
      const kept = JSON.parse(await readFile(keysFile, 'utf8')) as object;
      await writeFile(keysFile, JSON.stringify({ ...kept, keys: ['bm90IHRoaXM='] }));
      await assert.rejects(client.open(OPTIONS), {
        name: 'VaultSealedError',
        message: /not this Vault's keys, or there are too few/,
      });
    });
  });

  test('a damaged keys file is said, without repeating it', async () => {
    await withVault(async ({ vault, client, keysFile }) => {
      await client.open(OPTIONS);
      vault.seal();
      await writeFile(keysFile, '{"keys": ["c2VjcmV0');
      await assert.rejects(
        client.open(OPTIONS),
        (error: Error) => /damaged/.test(error.message) && !error.message.includes('c2VjcmV0'),
      );
    });
  });

  test('a Vault whose data are gone is initialised anew; the old keys are put aside', async () => {
    await withVault(async ({ vault, client, folder }) => {
      await client.open(OPTIONS);
      vault.initialized = false;
      vault.sealed = true;
      assert.deepEqual(await client.open(OPTIONS), { initialized: true, unsealed: true });
      const files = await readdir(folder);
      assert.deepEqual(files.filter((file) => file.endsWith('.old')).length, 1);
    });
  });

  test('away and absent are told apart', async () => {
    await withVault(async ({ vault, client }) => {
      vault.cutAt(1, 'before');
      assert.equal((await client.state()).state, 'unreachable');
      vault.hasPod = () => Promise.resolve(false);
      assert.deepEqual(await client.state(), { state: 'absent', detail: 'Vault has no pod' });
    });
  });
});

describe('root and deployer', () => {
  const foundation = async (client: VaultClient): Promise<void> => {
    await client.open(OPTIONS);
    await client.root.run(async (session) => {
      await session.write('sys/mounts/secret', {});
      await session.write('sys/auth/kubernetes', {});
      await session.write('sys/policies/acl/ananta-deployer', { policy: 'p' });
      await session.write('auth/kubernetes/role/ananta-deployer', {});
    });
  };

  test('the root token is revoked and removed; needed again, a new one is made from the keys and kept until it is revoked too', async () => {
    await withVault(async ({ vault, client, keysFile }) => {
      await foundation(client);
      assert.equal(await client.root.isKept(), true);
      assert.equal(await client.root.revoke(), true);
      assert.deepEqual([vault.roots.size, await client.root.isKept(), await client.root.revoke()], [0, false, false]);
      assert.doesNotMatch(await readFile(keysFile, 'utf8'), /rootToken/);
      assert.deepEqual(await client.root.run((session) => session.list('auth/kubernetes/role')), ['ananta-deployer']);
      assert.deepEqual([vault.roots.size, vault.generated, await client.root.isKept()], [1, 1, true]);
      await client.root.run((session) => session.read('sys/mounts'));
      assert.equal(vault.generated, 1);
      await client.root.revoke();
      assert.equal(vault.roots.size, 0);
    });
  });

  test('a token that somebody revoked in the meantime is replaced', async () => {
    await withVault(async ({ vault, client }) => {
      await foundation(client);
      vault.roots.clear();
      await client.root.run((session) => session.read('sys/mounts'));
      assert.equal(vault.generated, 1);
    });
  });

  test('the deployer logs in once, again after a 403, and unseals a Vault that was restarted', async () => {
    await withVault(async ({ vault, client }) => {
      await foundation(client);
      const logins = (): number => vault.requests.filter((request) => request.endsWith('/login')).length;
      await client.asDeployer((session) => session.read('sys/mounts'));
      await client.asDeployer((session) => session.read('sys/mounts'));
      assert.equal(logins(), 1);
      await assert.rejects(
        client.asDeployer((session) => session.write('sys/mounts/other', {})),
        { name: 'VaultError', status: 403 },
      );
      assert.equal(logins(), 2);
      vault.seal();
      await client.asDeployer((session) => session.read('sys/mounts'));
      assert.equal((await client.state()).state, 'open');
    });
  });

  test('a server that is not the active one yet is asked again, and nothing is lost', async () => {
    await withVault(async ({ vault, client }) => {
      await foundation(client);
      client.forgetLogin();
      const { request } = vault;
      let refusals = 2;
      vault.request = (outgoing) => {
        if (!outgoing.path.endsWith('/login') || refusals === 0) return request(outgoing);
        refusals -= 1;
        return Promise.resolve({
          status: 500,
          body: JSON.stringify({ errors: ['local node not active but active cluster node not found'] }),
        });
      };
      await client.asDeployer((session) => session.read('sys/mounts'));
      assert.equal(refusals, 0);
    });
  });

  test('KV: check-and-set, versions with their time, deleted versions', async () => {
    await withVault(async ({ vault, client }) => {
      await foundation(client);
      await client.asDeployer(async (session) => {
        assert.equal(await readKv(session, 'a/b'), undefined);
        assert.deepEqual(await versionOfKv(session, 'a/b'), { version: 0 });
        assert.equal(await writeKv(session, 'a/b', { key: 'one' }, 0), 1);
        await assert.rejects(writeKv(session, 'a/b', { key: 'two' }, 0), { name: 'KvConflictError' });
        assert.equal(await writeKv(session, 'a/b', { key: 'two' }, 1), 2);
        const entry = (await readKv(session, 'a/b'))!;
        assert.deepEqual([entry.data, entry.version], [{ key: 'two' }, 2]);
        assert.match(entry.revision, /^2@\d{4}-/);
        assert.deepEqual(await versionOfKv(session, 'a/b'), { version: 2, revision: entry.revision });
        const newest = vault.kv.get('a/b')!.versions[1]!;
        Object.assign(newest, { data: null, deletion_time: 'now' });
        assert.equal(await readKv(session, 'a/b'), undefined);
        assert.deepEqual(await versionOfKv(session, 'a/b'), { version: 2 });
      });
    });
  });
});
