import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createRedactor } from '../../../src/clients/redact.ts';
import { createKeySecret, type KeyStore, type VaultKeys } from '../../../src/clients/vault/index.ts';
import { type FakeParts, withFakeClients } from '../../support/fake-clients.ts';

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
