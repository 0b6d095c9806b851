/** `rollback` and `destroy` do what their plan showed; when the cluster has changed since, they refuse. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createActivities, unguardedActivities } from '../../src/activities/index.ts';
import { destructionDigest } from '../../src/effects/plan/binding.ts';
import { destroyPlanOf, destructionOf } from '../../src/effects/plan/destroy.ts';
import { survey } from '../../src/effects/destroy/survey.ts';
import { rollbackPlan } from '../../src/effects/plan/rollback.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { type HelmStore, helmStore } from '../support/fakes/helm-store.ts';
import { testScope } from '../support/scope.ts';

const REFUSED =
  /that was shown is [0-9a-f]{16}, but cluster, catalog or values have changed since: .* Nothing was changed; run the command again/;
let runs = 0;

async function deployed({ clients, run }: FakeParts, store: HelmStore, digest: string): Promise<void> {
  runs += 1;
  const runId = `run-${runs}`;
  store.upgrade({
    labels: {
      'ananta-environment': 'sandbox',
      'ananta-service': 'cache',
      'ananta-run': runId,
      'ananta-digest': digest,
      'ananta-proven': String(store.revisions().length + 1),
    },
  });
  await unguardedActivities(clients, () => testScope()).recordVersion({
    run: { ...run, runId },
    operation: 'deploy',
    requestedBy: 'a@b',
    planDigest: digest,
    seconds: 1,
    services: [{ name: 'cache', phase: 1, state: 'healthy', seconds: 1, changed: true }],
  });
}

describe('rollback', () => {
  for (const [what, change] of [
    ['nothing has changed', undefined],
    ['somebody has deployed', (parts: FakeParts, store: HelmStore) => deployed(parts, store, 'd3')],
    [
      'somebody has upgraded by hand',
      (_: FakeParts, store: HelmStore) => Promise.resolve(void store.upgrade({ config: { a: 1 } })),
    ],
  ] as const)
    test(`${what} since it was shown`, () =>
      withFakeClients(async (parts) => {
        const { clients, run } = parts;
        const store = helmStore(parts);
        await deployed(parts, store, 'd1');
        await deployed(parts, store, 'd2');
        const { digest: expectedDigest, toVersion = 0 } = await rollbackPlan(clients, clients.environment, {
          pastNoReturn: false,
        });
        await change?.(parts, store);
        const planned = createActivities(clients, () => testScope()).planRollback({
          run,
          toVersion,
          pastNoReturn: false,
          expectedDigest,
        });
        if (change === undefined) assert.equal((await planned).digest, expectedDigest);
        else await assert.rejects(planned, REFUSED);
      }));
});

describe('destroy', () => {
  test("plan and namespaces come from one look at Helm's records", () =>
    withFakeClients(async (parts) => {
      const { clients } = parts;
      const store = helmStore(parts);
      store.upgrade({ labels: { 'ananta-environment': 'sandbox', 'ananta-run': 'r', 'ananta-digest': 'd' } });
      const list = clients.kubernetes.list.bind(clients.kubernetes);
      const asked: string[] = [];
      clients.kubernetes.list = (path, options, signal) => {
        if (options?.labelSelector?.includes('owner=helm')) asked.push(path);
        return list(path, options, signal);
      };
      const { plan, found } = await destructionOf(clients, false);
      assert.equal(asked.length, 1);
      assert.equal(plan.services.find(({ name }) => name === 'cache')?.action, 'remove');
      assert.ok(found.releases.has('stores/cache'));
    }));

  const shown = async ({ clients }: FakeParts, deleteData: boolean): Promise<string> =>
    destructionDigest(await destroyPlanOf(clients, deleteData), await survey(clients), deleteData);
  const claim = ({ cluster, clients }: FakeParts, name: string): void => {
    clients.kubernetes.kinds = () =>
      Promise.resolve({
        kinds: [
          {
            group: '',
            version: 'v1',
            kind: 'PersistentVolumeClaim',
            plural: 'persistentvolumeclaims',
            namespaced: true,
            verbs: ['list', 'delete'],
          },
        ],
        silent: [],
      });
    cluster.objects.set('/api/v1/namespaces/stores', {
      metadata: { name: 'stores', uid: 'ns', resourceVersion: '1' },
    });
    cluster.objects.set(`/api/v1/namespaces/stores/persistentvolumeclaims/${name}`, {
      metadata: {
        name,
        namespace: 'stores',
        uid: name,
        resourceVersion: '1',
        labels: { 'app.kubernetes.io/instance': 'cache' },
      },
    });
  };

  for (const [what, deleteData, change, refused] of [
    ['nothing has changed', true, () => undefined, false],
    ['a release has another revision', false, (_: FakeParts, store: HelmStore) => store.upgrade(), true],
    ['there is another volume, and data go', true, (parts: FakeParts) => claim(parts, 'later'), true],
    ['there is another volume, and data stay', false, (parts: FakeParts) => claim(parts, 'later'), false],
  ] as const)
    test(`${what} since it was shown`, () =>
      withFakeClients(async (parts) => {
        const store = helmStore(parts);
        await deployed(parts, store, 'd1');
        claim(parts, 'data');
        const expectedDigest = await shown(parts, deleteData);
        change(parts, store);
        const planned = createActivities(parts.clients, () => testScope()).planDestroy({
          run: parts.run,
          deleteData,
          expectedDigest,
        });
        if (refused) await assert.rejects(planned, REFUSED);
        else assert.equal((await planned).operation, 'destroy');
      }));
});
