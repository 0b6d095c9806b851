import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readDriftState, updateDriftState } from '../../../src/effects/drift/state.ts';
import { withRepairs } from '../../../src/plan/drift/memory.ts';
import { withFakeClients } from '../../support/fakes/clients.ts';

const PATH = '/api/v1/namespaces/ananta-system/configmaps/drift-sandbox';
const rule = { flapLimit: 100, flapWindowSeconds: 3600 };

describe('memory of drift runs', () => {
  test('empty before the first write, which makes the namespace too', async () => {
    await withFakeClients(async ({ clients: { kubernetes }, cluster }) => {
      assert.deepEqual(await readDriftState(kubernetes, 'sandbox'), { acceptances: [], repairs: {}, runs: [] });
      await updateDriftState(kubernetes, 'sandbox', (state) => withRepairs(state, ['a'], rule, 0));
      assert.ok(cluster.objects.has('/api/v1/namespaces/ananta-system'));
      assert.deepEqual((await readDriftState(kubernetes, 'sandbox')).repairs, { a: ['1970-01-01T00:00:00.000Z'] });
      assert.equal(cluster.objects.get(PATH)?.metadata.labels?.['app.kubernetes.io/managed-by'], 'ananta-deploy');
    });
  });

  test('no writer loses what another one wrote', async () => {
    await withFakeClients(async ({ clients: { kubernetes } }) => {
      await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          updateDriftState(kubernetes, 'sandbox', (state) => withRepairs(state, [`key-${index}`], rule, 0)),
        ),
      );
      assert.equal(Object.keys((await readDriftState(kubernetes, 'sandbox')).repairs).length, 8);
    });
  });

  test('nothing is written when nothing changes', async () => {
    await withFakeClients(async ({ clients: { kubernetes }, cluster }) => {
      await updateDriftState(kubernetes, 'sandbox', (state) => state);
      assert.equal(cluster.objects.has(PATH), false);
    });
  });

  test('a damaged one is named, not overwritten', async () => {
    await withFakeClients(async ({ clients: { kubernetes }, cluster }) => {
      cluster.objects.set(PATH, {
        metadata: { name: 'drift-sandbox', uid: '', resourceVersion: '1' },
        data: { 'state.json': '{' },
      });
      await assert.rejects(
        updateDriftState(kubernetes, 'sandbox', (state) => ({ ...state })),
        /ananta-system\/drift-sandbox, is damaged \(no JSON\)/,
      );
    });
  });
});
