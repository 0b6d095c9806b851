import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requeueOverdueClaims } from '../../../bootstrap/cluster/index.ts';

const claim = (name: string, age: number, spec: { storageClassName: string; volumeName?: string }) => ({
  metadata: { name, namespace: 'a', creationTimestamp: new Date(100_000 - age).toISOString() },
  spec,
});

test('only claims of ours that have waited too long for their volume are touched', async () => {
  const asked: string[] = [];
  const items = [
    claim('late', 5_000, { storageClassName: 'simulated' }),
    claim('young', 1_000, { storageClassName: 'simulated' }),
    claim('bound', 90_000, { storageClassName: 'simulated', volumeName: 'pvc-1' }),
    claim('foreign', 90_000, { storageClassName: 'other' }),
  ];
  const api = {
    request: (method: string, path: string) => {
      asked.push(`${method} ${path}`);
      return Promise.resolve({ items });
    },
  };
  assert.deepEqual(await requeueOverdueClaims(api, 100_000), ['a/late']);
  assert.deepEqual(asked, [
    'GET /api/v1/persistentvolumeclaims',
    'PATCH /api/v1/namespaces/a/persistentvolumeclaims/late',
  ]);
});
