import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createRedactor } from '../../../src/clients/redact.ts';
import { UnreachableError } from '../../../src/clients/kubernetes/index.ts';
import { createKeySecret, createKeySpool, type KeyStore, type VaultKeys } from '../../../src/clients/vault/index.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';

const KEYS: VaultKeys = {
  version: 1,
  cluster: 'uid',
  initializedAt: 'now',
  threshold: 1,
  keys: ['c2VjcmV0LXNoYXJl'],
  rootToken: 'the-root-token',
};
const PLACE = '/api/v1/namespaces/ananta-system/secrets/vault-keys';

async function withStore(work: (store: KeyStore, parts: FakeParts) => Promise<void>): Promise<void> {
  await withFakeClients((parts) =>
    work(
      createKeySecret(parts.clients.kubernetes, { namespace: 'ananta-system', name: 'vault-keys' }, createRedactor()),
      parts,
    ),
  );
}

describe('keys in a Secret', () => {
  test('note, record and namespace are made; the note goes, the record stays', async () => {
    await withStore(async (store, { cluster }) => {
      assert.deepEqual([await store.read(), await store.attempt.began()], [undefined, false]);
      await store.attempt.begin('uid');
      assert.equal(await store.attempt.began(), true);
      await store.write(KEYS);
      await store.attempt.end();
      assert.deepEqual([await store.read(), await store.attempt.began()], [KEYS, false]);
      assert.deepEqual(
        cluster.applied.map(({ path }) => path),
        ['/api/v1/namespaces/ananta-system'],
      );
    });
  });

  test('put aside under another name, and what was in it is still there', async () => {
    await withStore(async (store, { cluster }) => {
      await store.write(KEYS);
      const aside = await store.putAside();
      assert.match(aside, /^Secret ananta-system\/vault-keys-\d{4}-.*-old$/);
      assert.equal(await store.read(), undefined);
      const kept = cluster.objects.get(
        `/api/v1/namespaces/ananta-system/secrets/${aside.split('/')[1]}`,
      ) as unknown as { data: Record<string, string> };
      assert.deepEqual(JSON.parse(Buffer.from(kept.data['keys.json']!, 'base64').toString()), KEYS);
    });
  });

  test('written at the same time by somebody else: read again, nothing is lost', async () => {
    await withStore(async (store, { cluster, clients }) => {
      await store.write(KEYS);
      const { replace } = clients.kubernetes;
      let disturbed = 0;
      clients.kubernetes.replace = (path, object) => {
        const known = cluster.objects.get(PLACE)!;
        if (disturbed++ === 0)
          cluster.objects.set(PLACE, { ...known, metadata: { ...known.metadata, resourceVersion: '99' } });
        return replace(path, object);
      };
      await store.attempt.begin('uid');
      assert.deepEqual([disturbed, await store.read(), await store.attempt.began()], [2, KEYS, true]);
    });
  });

  test('a damaged record is said, without repeating it', async () => {
    await withStore(async (store, { cluster }) => {
      await store.write(KEYS);
      Object.assign(cluster.objects.get(PLACE)!, {
        data: { 'keys.json': Buffer.from('{"keys": ["c2VjcmV0').toString('base64') },
      });
      await assert.rejects(
        store.read(),
        (error: Error) =>
          /Secret ananta-system\/vault-keys, is damaged/.test(error.message) && !error.message.includes('c2VjcmV0'),
      );
    });
  });
});

describe('keys that Vault gave while the API server was away', () => {
  const FILE = 'vault-keys.on-their-way.json';
  const ENCRYPTED: VaultKeys = { ...KEYS, encryptedFor: ['anna.asc'] };

  interface Spooled extends FakeParts {
    /** As a process that has just started. */
    store: (options?: { guarded?: boolean; patience?: number }) => KeyStore;
    away: (yes: boolean) => void;
    file: () => Promise<string | undefined>;
  }

  async function withSpool(work: (parts: Spooled) => Promise<void>): Promise<void> {
    await withFakeClients(async (parts) => {
      const { kubernetes } = parts.clients;
      const { create, replace } = kubernetes;
      await work({
        ...parts,
        store: ({ guarded = false, patience = 0 } = {}) =>
          createKeySecret(kubernetes, { namespace: 'ananta-system', name: 'vault-keys' }, createRedactor(), {
            spool: createKeySpool(parts.folder, createRedactor(), { plaintext: !guarded }),
            patienceMilliseconds: patience,
          }),
        away: (yes) => {
          const gone = (): Promise<never> => Promise.reject(new UnreachableError('the API server does not answer'));
          Object.assign(kubernetes, yes ? { create: gone, replace: gone } : { create, replace });
        },
        file: () => readFile(join(parts.folder, FILE), 'utf8').catch(() => undefined),
      });
    });
  }

  test('are on this disk before it is asked, for their owner alone, and go when it has them', async () => {
    await withSpool(async ({ store, clients, folder, file }) => {
      const seen: (string | undefined)[] = [];
      await store().attempt.begin('uid');
      const { replace } = clients.kubernetes;
      clients.kubernetes.replace = async (path, object) => {
        seen.push(await file());
        assert.deepEqual(
          [
            ((await stat(join(folder, FILE))).mode & 0o777).toString(8),
            ((await stat(folder)).mode & 0o777).toString(8),
          ],
          ['600', '700'],
        );
        return replace(path, object);
      };
      await store().write(KEYS);
      assert.deepEqual(JSON.parse(seen[0] ?? ''), KEYS);
      assert.equal(await file(), undefined);
    });
  });

  test('are found by the next process, wherever this one died', async () => {
    await withSpool(async ({ store, away, cluster, file }) => {
      await store().attempt.begin('uid');
      away(true);
      await assert.rejects(store().write(KEYS), (error: Error) => {
        assert.equal(error.name, 'UnreachableError');
        assert.match(
          error.message,
          /the keys that Vault gave are kept in .*on-their-way\.json on .* until Secret ananta-system/,
        );
        return true;
      });
      away(false);
      assert.deepEqual(await store().read(), KEYS);
      assert.equal(await file(), undefined);
      assert.ok((cluster.objects.get(PLACE) as unknown as { data: Record<string, string> }).data['keys.json']);
      assert.deepEqual(await store().read(), KEYS);
    });
  });

  test('come as soon as it answers again', async () => {
    await withSpool(async ({ store, away, file }) => {
      await store().attempt.begin('uid');
      away(true);
      setTimeout(() => away(false), 700);
      await store({ patience: 10_000 }).write(KEYS);
      assert.equal(await file(), undefined);
      assert.deepEqual(await store().read(), KEYS);
    });
  });

  test('what is in the cluster counts, and nothing is left on the disk', async () => {
    await withSpool(async ({ store, folder, file }) => {
      await store().attempt.begin('uid');
      await store().write(KEYS);
      await createKeySpool(folder, createRedactor(), { plaintext: true }).put({ ...KEYS, keys: ['b3RoZXI='] });
      assert.deepEqual(await store().read(), KEYS);
      assert.equal(await file(), undefined);
    });
  });

  test('of another cluster, or of no attempt on record, are not taken', async () => {
    await withSpool(async ({ store, folder }) => {
      const spool = createKeySpool(folder, createRedactor(), { plaintext: true });
      await spool.put(KEYS);
      assert.equal(await store().read(), undefined);
      await store().attempt.begin('another-uid');
      assert.equal(await store().read(), undefined);
      assert.deepEqual(await spool.read(), KEYS, 'and they are not thrown away');
    });
  });

  test('in a guarded environment lie there encrypted only', async () => {
    await withSpool(async ({ store, away, file }) => {
      await store().attempt.begin('uid');
      away(true);
      await assert.rejects(store({ guarded: true }).write(KEYS), { name: 'UnreachableError' });
      assert.equal(await file(), undefined);
      await assert.rejects(store({ guarded: true }).write(ENCRYPTED), { name: 'UnreachableError' });
      const kept = (await file()) ?? '';
      assert.ok(kept.includes(KEYS.keys[0]!) && !kept.includes(KEYS.rootToken!));
    });
  });

  test('are told with the machine that has them, where another worker goes on', async () => {
    await withSpool(async ({ store }) => {
      await store().attempt.begin('uid');
      assert.equal(await store().attempt.by?.(), hostname());
    });
  });
});
