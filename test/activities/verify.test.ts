import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifyAll } from '../../src/effects/verify.ts';
import { withFakeClients } from '../support/fakes/clients.ts';

for (const [wanted, healthy, text] of [
  [0, true, /^scaled to zero/],
  [1, false, /scaled it to zero; the environment wants 1/],
] as const)
  test(`no replica where the environment wants ${wanted}`, () =>
    withFakeClients(async ({ clients, cluster }) => {
      cluster.watched.set('Deployment/apps/api/api', {
        metadata: { name: 'api', namespace: 'apps', uid: 'u', resourceVersion: '1', generation: 1 },
        spec: { replicas: 0 },
        status: { observedGeneration: 1 },
      });
      const environment = { ...clients.environment, replicas: { default: 1, services: { api: wanted } } };
      const row = (await verifyAll({ ...clients, environment })).find(({ service }) => service === 'api');
      assert.equal(row?.healthy, healthy);
      assert.match(row.proof + row.reason, text);
    }));
