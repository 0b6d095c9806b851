import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listAll } from '../../../src/effects/release/orphans.ts';
import { type Kind, KubernetesError } from '../../../src/clients/kubernetes/index.ts';

const kind = (plural: string): Kind => ({
  group: 'example.com',
  version: 'v1',
  kind: plural,
  plural,
  namespaced: true,
  verbs: ['list', 'delete'],
});

test('a kind that may not be looked at is told, and the others are listed', async () => {
  const unseen: string[] = [];
  const list = async (path: string) => {
    if (path.endsWith('/hidden')) throw new KubernetesError(`GET ${path}`, 403, 'Forbidden', 'no');
    return Promise.resolve({
      metadata: { resourceVersion: '1' },
      items: [{ metadata: { name: 'a', namespace: 'shop', uid: '', resourceVersion: '' } }],
    });
  };
  const found = await listAll({ list }, [kind('hidden'), kind('things')], {
    namespace: 'shop',
    unseen: ({ plural }) => {
      unseen.push(plural);
    },
  });
  assert.deepEqual(
    [found.map(({ path }) => path), unseen],
    [['/apis/example.com/v1/namespaces/shop/things/a'], ['hidden']],
  );
});
