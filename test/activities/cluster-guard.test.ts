/** Every activity that changes something first checks that the cluster is still the one it is meant for. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Client } from '@temporalio/client';
import { assertTarget } from '../../src/activities/context.ts';
import { createActivities } from '../../src/activities/index.ts';
import { ClusterMismatchError } from '../../src/clients/kubernetes/index.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { ClusterIdentity } from '../../src/contract/cluster.ts';
import type { RunRef } from '../../src/contract/operations/deploy.ts';
import type { PlannedService } from '../../src/contract/operations/plan.ts';
import { withFakeClients } from '../support/fakes/clients.ts';
import { planOf } from '../support/plans.ts';
import { testScope } from '../support/scope.ts';

/** These only read, or write what belongs to the worker: evidence, the audit trail, a message to people. */
const READERS: readonly (keyof Activities)[] = [
  'awaitHealthy',
  'collectEvidence',
  'recordResult',
  'lockHolder',
  'awaitLockFree',
  'checkFreeze',
  'notify',
  'addressNotification',
  'deliverNotification',
  'readVersion',
  'awaitOperation',
];

const [service] = planOf({ identity: { phase: 1 } }).services as [PlannedService];

function inputOf(name: keyof Activities, run: RunRef): unknown {
  const step = service.steps[0];
  const inputs: Partial<Record<keyof Activities, unknown>> = {
    makePlan: { run },
    applyRelease: { run, service: service.name, step, priority: 1 },
    removeRelease: { run, service: service.name, step, priority: 1 },
    planRollback: { run, pastNoReturn: false },
    planUndo: { run, changed: [] },
    planDestroy: { run, deleteData: true },
    planRepair: { run, findings: [] },
    planAdopt: { run, service: 'identity', expectedDigest: 'x' },
    adoptReleases: { run, service: 'identity', requestedBy: 'tester@host', plan: planOf({ identity: { phase: 1 } }) },
    planRotate: { run },
    rotateSecret: { run, act: 'add', secret: { path: 'stores/queue', key: 'password' } },
    restartRelease: { run, service: service.name, step },
    recordVersion: { run, operation: 'deploy', requestedBy: 'tester@host', planDigest: 'x', seconds: 1, services: [] },
    removeRemains: { run, deleteData: true },
    settleReleases: { run, releases: [{ namespace: 'apps', name: 'identity' }] },
    repairFindings: {
      run,
      findings: [
        {
          key: 'x',
          kind: 'extra',
          area: 'kubernetes',
          object: 'Service apps/api',
          field: 'spec.x',
          repair: 'field',
        },
      ],
    },
    recordDrift: { run, outcome: 'clean', attempted: [], findings: 0, repaired: 0, flapping: 0, seconds: 1 },
  };
  return inputs[name] ?? run;
}

/** An engine that knows, or does not know, to which cluster the environment belongs. */
function engineWith(binding: ClusterIdentity | undefined): Client {
  const args = [
    {
      environment: 'sandbox',
      server: 'https://before',
      boundBy: 'tester@host',
      at: '2026-01-01T00:00:00.000Z',
      ...binding,
    },
  ];
  return {
    options: { loadedDataConverter: { payloadCodecs: [] } },
    schedule: { getHandle: () => ({ describe: () => Promise.resolve({ action: { args } }) }) },
  } as unknown as Client;
}

describe('cluster guard', () => {
  test('no activity that changes something does so on another cluster', async () => {
    await withFakeClients(async ({ clients, cluster, run }) => {
      const kubernetes = {
        ...clients.kubernetes,
        assertCluster: () => Promise.reject(new ClusterMismatchError('another one')),
      };
      const activities = createActivities({ ...clients, kubernetes }, () => testScope());
      const guarded = (Object.keys(activities) as (keyof Activities)[]).filter((name) => !READERS.includes(name));
      assert.ok(guarded.length >= 20);
      for (const name of guarded) {
        const call = activities[name] as (input: unknown) => Promise<unknown>;
        await assert.rejects(call(inputOf(name, run)), { type: 'ClusterMismatch', nonRetryable: true }, name);
      }
      assert.deepEqual([cluster.applied, cluster.removed], [[], []]);
    });
  });

  test('it has to be the one that the environment is bound to, with its authority', async () => {
    await withFakeClients(async ({ clients, run }) => {
      const asked: ClusterIdentity[] = [];
      const kubernetes = {
        ...clients.kubernetes,
        assertCluster: (wanted: ClusterIdentity) => {
          asked.push(wanted);
          return Promise.resolve();
        },
      };
      await assertTarget({ ...clients, kubernetes, engine: engineWith({ uid: 'uid', authority: 'sha256:one' }) }, run);
      assert.deepEqual(
        asked.map(({ uid, authority }) => [uid, authority]),
        [['uid', 'sha256:one']],
      );
      await assert.rejects(assertTarget({ ...clients, kubernetes, engine: engineWith({ uid: 'another' }) }, run), {
        name: 'ClusterMismatchError',
        message: /bound to the cluster with kube-system uid another by now, this was planned for uid/,
      });
    });
  });

  test('bound anew a moment ago: what was known before is asked again before it refuses', async () => {
    await withFakeClients(async ({ clients, run }) => {
      const kubernetes = { ...clients.kubernetes, assertCluster: () => Promise.resolve() };
      const before = { uid: 'another' };
      const engine = engineWith(before);
      await assert.rejects(assertTarget({ ...clients, kubernetes, engine }, run), { name: 'ClusterMismatchError' });
      before.uid = 'uid';
      Object.assign(engine, { schedule: engineWith(before).schedule });
      await assertTarget({ ...clients, kubernetes, engine }, run);
    });
  });
});
