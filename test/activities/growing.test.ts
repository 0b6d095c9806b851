/** Claims that grow and StatefulSets that are replaced for it, against a cluster that refuses what a real one does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unguardedActivities } from '../../src/activities/index.ts';
import type { KubernetesObject } from '../../src/clients/kubernetes/index.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { PlannedStep } from '../../src/contract/operations/plan.ts';
import { withGrowing } from '../../src/effects/growing/observe.ts';
import type { ObservedCluster } from '../../src/plan/observed.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { helmRecord, ourLabels } from '../support/fakes/helm-record.ts';
import { testScope } from '../support/scope.ts';
import { claimManifest, type ClaimOptions, liveClaim, liveSet, setManifest } from '../plan/growing/sample.ts';

const DIGEST = '0123456789abcdef';
const CLAIM = '/api/v1/namespaces/stores/persistentvolumeclaims/data-cache-0';
const SET = '/apis/apps/v1/namespaces/stores/statefulsets/cache';
const POD = '/api/v1/namespaces/stores/pods/cache-0';
const STEP: PlannedStep = {
  kind: 'release',
  name: 'cache',
  namespace: 'stores',
  job: false,
  action: 'upgrade',
  reason: 'larger',
  digest: DIGEST,
};
const GROWTH = [{ name: 'data-cache-0', from: '1Gi', to: '2Gi', storageClass: 'fast' }];
const SETS = [{ name: 'cache', sizes: { data: '2Gi' } }];

interface World extends FakeParts {
  activities: Activities;
  request: () => unknown;
  expand: (seconds?: number) => ReturnType<Activities['expandClaims']>;
  replace: () => ReturnType<Activities['replaceStatefulSets']>;
  put: (options: ClaimOptions) => void;
}

async function world(work: (world: World) => Promise<void>, allowed = true): Promise<void> {
  await withFakeClients(async (parts) => {
    const { cluster, clients, run } = parts;
    const keep = (path: string, kind: string, object: Record<string, unknown>): void => {
      const kept = object as KubernetesObject;
      kept.metadata.namespace = 'stores';
      cluster.objects.set(path, kept);
      cluster.watched.set(`${kind}/stores/cache/${kept.metadata.name}`, kept);
    };
    let written = 10;
    const put = (options: ClaimOptions): void => {
      const claim = liveClaim({ name: 'data-cache-0', ...options }) as unknown as KubernetesObject;
      claim.metadata.resourceVersion = String((written += 1));
      keep(CLAIM, 'PersistentVolumeClaim', claim);
    };
    put({});
    cluster.objects.set('/apis/storage.k8s.io/v1/storageclasses/fast', {
      metadata: { name: 'fast', uid: '', resourceVersion: '1' },
      allowVolumeExpansion: allowed,
    });
    const set = liveSet({ name: 'cache' }) as unknown as KubernetesObject;
    set.metadata = {
      ...set.metadata,
      uid: 'uid-set',
      resourceVersion: '1',
      annotations: { 'meta.helm.sh/release-name': 'cache', 'meta.helm.sh/release-namespace': 'stores' },
    };
    keep(SET, 'StatefulSet', set);
    keep(POD, 'Pod', {
      metadata: {
        name: 'cache-0',
        uid: 'uid-pod',
        resourceVersion: '1',
        labels: { 'statefulset.kubernetes.io/pod-name': 'cache-0' },
        ownerReferences: [{ kind: 'StatefulSet', name: 'cache', uid: 'uid-set', controller: true }],
      },
      spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-cache-0' } }] },
    });
    const [path, record] = helmRecord({
      namespace: 'stores',
      release: 'cache',
      revision: 1,
      chart: 'redis',
      labels: ourLabels('run-0', DIGEST),
    });
    cluster.objects.set(path, record);
    const activities = unguardedActivities(clients, () => testScope());
    await work({
      ...parts,
      activities,
      put,
      request: () => (cluster.objects.get(CLAIM)?.['spec'] as { resources: { requests: object } }).resources.requests,
      expand: (timeoutSeconds = 60) =>
        activities.expandClaims({ run, service: 'cache', step: STEP, claims: GROWTH, timeoutSeconds }),
      replace: () => activities.replaceStatefulSets({ run, service: 'cache', step: STEP, sets: SETS }),
    });
  });
}

describe('a claim that grows', () => {
  test('is asked for more, and waited for until its file system has it', () =>
    world(async ({ expand, request, put, cluster }) => {
      let ended = false;
      const expanding = expand().then((end) => {
        ended = true;
        return end;
      });
      await eventually(() => assert.deepEqual(request(), { storage: '2Gi' }));
      put({ request: '2Gi', capacity: '1Gi', conditions: [{ type: 'FileSystemResizePending' }] });
      cluster.notify('stores', 'cache');
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(ended, false);
      put({ request: '2Gi' });
      cluster.notify('stores', 'cache');
      const { changed, notes } = await expanding;
      assert.deepEqual([changed, notes], [true, []]);
    }));

  test('once more after a lost acknowledgement: nothing is asked for', () =>
    world(async ({ expand, put }) => {
      put({ request: '2Gi' });
      assert.deepEqual(await expand(), { changed: false, seconds: 0, notes: [] });
    }));

  test('that no pod mounts has done its part; that is said', () =>
    world(async ({ expand, put, cluster }) => {
      cluster.watched.delete('Pod/stores/cache/cache-0');
      put({ request: '2Gi', capacity: '1Gi', conditions: [{ type: 'FileSystemResizePending' }] });
      assert.match(
        (await expand()).notes.join(),
        /data-cache-0 has grown; its file system does as soon as a pod mounts/,
      );
    }));

  test('of a class that does not allow it is refused, with what to do; nothing was changed', () =>
    world(async ({ expand, request }) => {
      await assert.rejects(expand(), {
        type: 'Forbidden',
        message: /must support resize\. .*kubectl patch storageclass fast .* Nothing else was changed\.$/,
      });
      assert.deepEqual(request(), { storage: '1Gi' });
    }, false));

  test('and goes while it is waited for is no longer waited for', () =>
    world(async ({ expand, request, cluster }) => {
      const expanding = assert.rejects(expand(600), {
        type: 'NotHealthyInTime',
        message: /claim data-cache-0 is gone/,
      });
      await eventually(() => assert.deepEqual(request(), { storage: '2Gi' }));
      cluster.objects.delete(CLAIM);
      await expanding;
    }));

  test('and does not in time is given up with what was said of it; its release was not touched', () =>
    world(async ({ expand, put, cluster }) => {
      put({ request: '2Gi', capacity: '1Gi', conditions: [{ type: 'Resizing' }] });
      cluster.warnings.push({
        metadata: { name: 'e', namespace: 'stores', uid: 'e', resourceVersion: '1' },
        type: 'Warning',
        reason: 'VolumeResizeFailed',
        message: 'disk is attached',
        lastTimestamp: new Date().toISOString(),
        involvedObject: { kind: 'PersistentVolumeClaim', name: 'data-cache-0', uid: 'uid-data-cache-0' },
      });
      await assert.rejects(expand(0), {
        type: 'NotHealthyInTime',
        message: /has 1Gi of 2Gi: Resizing.*disk is attached.*was not touched and runs on/,
      });
    }));

  test('that its driver refuses for good is not waited for', () =>
    world(async ({ expand, put }) => {
      put({ request: '2Gi', capacity: '1Gi', resizing: 'ControllerResizeInfeasible' });
      await assert.rejects(expand(), { type: 'NotHealthyInTime', message: /ControllerResizeInfeasible/ });
    }));

  test('before another one that may not: both are told', () =>
    world(async ({ activities, run, request, cluster }) => {
      const second = liveClaim({ name: 'data-cache-1' }) as unknown as KubernetesObject;
      second.metadata.namespace = 'stores';
      second.metadata.labels = { ...second.metadata.labels, 'ananta.dev/environment': 'theirs' };
      cluster.objects.set(CLAIM.replace(/0$/, '1'), second);
      const claims = [...GROWTH, { ...GROWTH[0]!, name: 'data-cache-1' }];
      await assert.rejects(activities.expandClaims({ run, service: 'cache', step: STEP, claims, timeoutSeconds: 60 }), {
        type: 'NotOurs',
        message: /data-cache-1 .* Claims before it grow by now, and stay so; nothing else was/,
      });
      assert.deepEqual(request(), { storage: '2Gi' });
    }));

  for (const [what, change, type] of [
    ['is gone', ({ cluster }: World) => cluster.objects.delete(CLAIM), 'PlanOutdated'],
    [
      'is another environment’s',
      ({ put }: World) => put({ labels: { 'ananta.dev/environment': 'theirs' } }),
      'NotOurs',
    ],
  ] as const)
    test(`that ${what} by now is left alone`, () =>
      world(async (parts) => {
        change(parts);
        await assert.rejects(parts.expand(), { type });
      }));
});

describe('a StatefulSet that is replaced', () => {
  test('goes without its pods, which lose their owner', () =>
    world(async ({ replace, cluster }) => {
      assert.deepEqual(await replace(), { replaced: ['cache'] });
      assert.deepEqual(cluster.removed, [SET]);
      assert.deepEqual(cluster.objects.get(POD)?.metadata['ownerReferences'], []);
      assert.ok(cluster.objects.has(CLAIM));
    }));

  test('and is gone, or there with the wanted templates, is done', () =>
    world(async ({ replace, cluster }) => {
      await replace();
      assert.deepEqual(await replace(), { replaced: [] });
      cluster.objects.set(SET, liveSet({ name: 'cache', size: '2048Mi' }) as unknown as KubernetesObject);
      assert.deepEqual(await replace(), { replaced: [] });
      assert.deepEqual(cluster.removed, [SET]);
    }));

  test('is not touched where it belongs to another release', () =>
    world(async ({ replace, cluster }) => {
      cluster.objects.get(SET)!.metadata.annotations!['meta.helm.sh/release-name'] = 'theirs';
      await assert.rejects(replace(), { type: 'NotOurs', message: /Helm release stores\/theirs\. It was not touched/ });
      assert.deepEqual(cluster.removed, []);
    }));

  test('neither is anything where the release is somebody else’s', () =>
    world(async ({ replace, expand, request, cluster }) => {
      for (const [path, { metadata }] of cluster.objects)
        if (path.includes('sh.helm.release')) metadata.labels!['ananta-environment'] = 'theirs';
      await assert.rejects(replace(), { name: 'ForeignReleaseError' });
      await assert.rejects(expand(), { name: 'ForeignReleaseError' });
      assert.deepEqual([cluster.removed, request()], [[], { storage: '1Gi' }]);
    }));
});

describe('going back to a smaller revision', () => {
  test('its manifest is applied with the sizes that are there, which is said', () =>
    world(async ({ activities, cluster, clients, run }) => {
      const manifest = setManifest({ name: 'cache', size: '512Mi' }) + claimManifest('1Gi', 'elsewhere');
      const record = (revision: number): void => {
        const [path, secret] = helmRecord({
          ...{ namespace: 'stores', release: 'cache', revision, chart: 'redis', manifest },
          labels: ourLabels('run-0', DIGEST),
        });
        cluster.objects.set(path, secret);
      };
      record(1);
      const applied: string[] = [];
      clients.helm.reapply = (request) => {
        applied.push(request.manifest);
        record(2);
        return Promise.resolve({ revision: 2, seconds: 0, queuedSeconds: 0 });
      };
      const step = { ...STEP, action: 'rollback' as const, toRevision: 1 };
      const { kept } = await activities.rollbackRelease({ run, service: 'cache', step, priority: 1 });
      assert.deepEqual(kept, [
        'claims data of StatefulSet cache stay at 1Gi, that revision had 512Mi: volumes never shrink',
      ]);
      assert.match(applied.join(), /storage: "?1Gi/);
      assert.doesNotMatch(applied.join(), /512Mi/);
    }));
});

describe('what a plan looks at', () => {
  const observed = (digest: string): ObservedCluster => ({
    namespaces: new Set(),
    releases: new Map([['stores/cache', { revision: 1, status: 'deployed', labels: { 'ananta-digest': digest } }]]),
    health: new Map(),
    vault: 'open',
    vaultConfigured: true,
    vaultReason: '',
  });

  test('nothing is rendered or asked of a release that is as wanted, or has no claims', () =>
    world(async ({ clients, cluster }) => {
      const inputs = new Map([['cache', { chartPath: '/nowhere', values: '{}', digest: DIGEST }]]);
      const signal = new AbortController().signal;
      const before = cluster.lists;
      const same = observed(DIGEST);
      assert.equal(await withGrowing(clients, inputs, same, signal), same);
      for (const key of cluster.watched.keys()) cluster.watched.delete(key);
      const other = observed('another');
      assert.equal(await withGrowing(clients, inputs, other, signal), other);
      assert.equal(cluster.lists, before);
    }));
});
