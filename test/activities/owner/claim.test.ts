/**
 * One cluster has one owner: which environment becomes it, how others are refused, and how many requests that costs.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertTarget } from '../../../src/activities/context.ts';
import { createActivities } from '../../../src/activities/index.ts';
import { type Claim, claimCluster, ownershipOf, protectCluster } from '../../../src/effects/owner/claim.ts';
import {
  type KubernetesClient,
  KubernetesError,
  type KubernetesObject,
} from '../../../src/clients/kubernetes/index.ts';
import { RELEASE_LABELS } from '../../../src/contract/names.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { OWNER_PATH, ownerIn, ownerRecord } from '../../support/owner.ts';
import { testScope } from '../../support/scope.ts';

function claimOf(environment: string, over: Partial<Claim> = {}): Claim {
  return {
    environment,
    platform: 'ananta',
    cluster: { uid: 'uid' },
    protected: false,
    boundBy: `${environment}@host`,
    bound: false,
    ...over,
  };
}

/** A cluster that was deployed to by the version before: releases with labels, and no record. */
function releaseOf(environment: string, name = 'identity'): [string, KubernetesObject] {
  const secret = `sh.helm.release.v1.${name}.v1`;
  const labels = { owner: 'helm', name, version: '1', status: 'deployed', [RELEASE_LABELS.environment]: environment };
  return [
    `/api/v1/namespaces/apps/secrets/${secret}`,
    { metadata: { name: secret, namespace: 'apps', uid: secret, resourceVersion: '1', labels } },
  ];
}

async function onCluster(
  objects: [string, KubernetesObject][],
  work: (parts: FakeParts) => Promise<void>,
): Promise<void> {
  await withFakeClients(async (parts) => {
    parts.cluster.objects.delete(OWNER_PATH);
    for (const [path, object] of objects) parts.cluster.objects.set(path, object);
    await work(parts);
  });
}

/** Counts how often the owner record is read. */
function counted(kubernetes: KubernetesClient): { kubernetes: KubernetesClient; asked: () => number } {
  let asked = 0;
  const get: KubernetesClient['get'] = (path, signal) => {
    if (path === OWNER_PATH) asked += 1;
    return kubernetes.get(path, signal);
  };
  return { kubernetes: { ...kubernetes, get }, asked: () => asked };
}

describe('claiming a cluster', () => {
  test('the first one writes who, what and when; later it finds that', async () => {
    await onCluster([], async ({ clients: { kubernetes }, cluster }) => {
      const first = await claimCluster(kubernetes, claimOf('sandbox'));
      assert.deepEqual(
        [first.environment, first.platform, first.protected, first.boundBy, first.cluster],
        ['sandbox', 'ananta', false, 'sandbox@host', { uid: 'uid' }],
      );
      assert.deepEqual(await claimCluster(kubernetes, claimOf('sandbox', { boundBy: 'another@host' })), first);
      assert.deepEqual(ownerIn(cluster.objects), first);
      assert.equal(cluster.objects.get(OWNER_PATH)?.metadata.labels?.['ananta.dev/environment'], 'sandbox');
    });
  });

  test('of two at the same moment exactly one wins, and the other is told which', async () => {
    await onCluster([], async ({ clients: { kubernetes }, cluster }) => {
      const answers = await Promise.allSettled(['east', 'west'].map((name) => claimCluster(kubernetes, claimOf(name))));
      const winner = ownerIn(cluster.objects)?.environment;
      const [lost] = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []));
      assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, 1);
      assert.match(lost?.message ?? '', new RegExp(`belongs to environment "${winner ?? ''}"`));
    });
  });

  test('a cluster of the version before is claimed by the environment whose releases it has, by nobody else', async () => {
    await onCluster([releaseOf('prod')], async ({ clients: { kubernetes }, cluster }) => {
      for (const bound of [false, true]) {
        await assert.rejects(claimCluster(kubernetes, claimOf('sandbox', { bound })), {
          name: 'OwnerMismatchError',
          owner: 'prod',
        });
        await assert.rejects(ownershipOf(kubernetes, claimOf('sandbox', { bound })), { name: 'OwnerMismatchError' });
      }
      assert.equal(ownerIn(cluster.objects), undefined);
      assert.equal((await claimCluster(kubernetes, claimOf('prod'))).environment, 'prod');
    });
  });

  test('looking writes nothing', async () => {
    await onCluster([releaseOf('sandbox')], async ({ clients: { kubernetes }, cluster }) => {
      assert.deepEqual(await ownershipOf(kubernetes, claimOf('sandbox')), { state: 'unclaimed' });
      assert.deepEqual([cluster.applied, ownerIn(cluster.objects)], [[], undefined]);
    });
  });

  test('protection is added under the lock, when an operation begins, and no file takes it away', async () => {
    await onCluster([ownerRecord()], async ({ clients, cluster, run }) => {
      const { kubernetes } = clients;
      await claimCluster(kubernetes, claimOf('sandbox', { protected: true }));
      assert.equal(ownerIn(cluster.objects)?.protected, false);
      await protectCluster(kubernetes);
      const { protected: isProtected, boundBy } = ownerIn(cluster.objects) ?? {};
      assert.deepEqual([isProtected, boundBy], [true, 'tester@host']);
      // The environment's file says nothing of protection here.
      await assert.rejects(assertTarget(clients, run), { name: 'NotConfirmedError' });
      assert.equal(ownerIn(cluster.objects)?.protected, true);
    });
  });

  test("a record that nobody can read is nobody's to write over", async () => {
    const [path, object] = ownerRecord();
    await onCluster([[path, { ...object, data: { 'owner.json': '{' } }]], async ({ clients: { kubernetes } }) => {
      await assert.rejects(claimCluster(kubernetes, claimOf('sandbox')), {
        name: 'OwnerMismatchError',
        message: /damaged/,
      });
    });
  });

  test('a namespace that is still going away is waited for', async () => {
    await onCluster([], async ({ clients: { kubernetes } }) => {
      let refusals = 2;
      const create: KubernetesClient['create'] = (path, object, signal) => {
        refusals -= 1;
        const message = 'unable to create new content in namespace ananta-system because it is being terminated';
        return refusals < 0
          ? kubernetes.create(path, object, signal)
          : Promise.reject(new KubernetesError(`POST ${path}`, 403, 'Forbidden', message));
      };
      assert.equal((await claimCluster({ ...kubernetes, create }, claimOf('sandbox'))).environment, 'sandbox');
    });
  });
});

describe('steps of an operation', () => {
  test("on another environment's cluster none of them does anything, and it is not tried again", async () => {
    await withFakeClients(async ({ clients, cluster, run }) => {
      cluster.objects.set(...ownerRecord({ environment: 'prod' }));
      const activities = createActivities(clients, () => testScope());
      const refusal = { type: 'ClusterOwned', nonRetryable: true, message: /belongs to environment "prod"/ };
      await assert.rejects(activities.makePlan({ run }), refusal);
      await assert.rejects(activities.ensureNamespaces(run), refusal);
      await assert.rejects(activities.syncSecrets(run), refusal);
      await assert.rejects(activities.planDestroy({ run, deleteData: true }), refusal);
      await assert.rejects(activities.removeRemains({ run, deleteData: true }), refusal);
      assert.deepEqual([cluster.applied, cluster.removed], [[], []]);
    });
  });

  test('many steps at once ask once, and again after a few seconds only', async () => {
    await withFakeClients(async ({ clients, run }) => {
      const { kubernetes, asked } = counted(clients.kubernetes);
      await Promise.all(Array.from({ length: 20 }, () => assertTarget({ ...clients, kubernetes }, run)));
      await assertTarget({ ...clients, kubernetes }, run);
      assert.equal(asked(), 1);
    });
  });

  test('taken over a moment ago: what was known is asked again before it refuses', async () => {
    await withFakeClients(async ({ clients, cluster, run }) => {
      cluster.objects.set(...ownerRecord({ environment: 'prod' }));
      await assert.rejects(assertTarget(clients, run), { name: 'OwnerMismatchError' });
      cluster.objects.set(...ownerRecord());
      await assertTarget(clients, run);
    });
  });

  test('the first step on a cluster without a record writes it, with who had bound it', async () => {
    await onCluster([releaseOf('sandbox')], async ({ clients, cluster, run }) => {
      await assertTarget(clients, run);
      assert.equal(ownerIn(cluster.objects)?.environment, 'sandbox');
    });
  });

  test('an engine that has lost its binding is told by the record which authority the cluster has', async () => {
    await withFakeClients(async ({ clients, cluster, run }) => {
      cluster.objects.set(...ownerRecord({ cluster: { uid: 'uid', authority: 'sha256:one' } }));
      const asked: unknown[] = [];
      const assertCluster: KubernetesClient['assertCluster'] = (wanted) => {
        asked.push(wanted);
        return Promise.resolve();
      };
      await assertTarget({ ...clients, kubernetes: { ...clients.kubernetes, assertCluster } }, run);
      assert.deepEqual(asked, [{ uid: 'uid', authority: 'sha256:one' }]);
    });
  });
});
