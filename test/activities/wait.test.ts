import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createActivities } from '../../src/activities/index.ts';
import { createReasons } from '../../src/effects/wait/reasons.ts';
import { createDeadline } from '../../src/effects/wait/deadline.ts';
import { waitForRelease, type WaitInput } from '../../src/effects/wait/release.ts';
import type { KubernetesObject, Watches } from '../../src/clients/kubernetes/index.ts';
import { type FakeCluster, type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { testScope } from '../support/scope.ts';
import { eventually } from '../support/eventually.ts';

const PATH = '/apis/apps/v1/namespaces/ns/deployments/api';
const release = { namespace: 'ns', name: 'api' };

/** A Deployment of the release; `ready` is what its status says about which generation. */
function deployment(
  version: number,
  options: { uid?: string; generation?: number; observed?: number; available?: number } = {},
): KubernetesObject {
  const { uid = 'uid-1', generation = 1, observed = generation, available = 1 } = options;
  return {
    metadata: {
      name: 'api',
      namespace: 'ns',
      uid,
      generation,
      resourceVersion: String(version),
      labels: { 'app.kubernetes.io/instance': 'api' },
      annotations: { 'meta.helm.sh/release-name': 'api' },
    },
    spec: { replicas: 1 },
    status: { observedGeneration: observed, replicas: 1, updatedReplicas: 1, availableReplicas: available },
  };
}

function seen(cluster: FakeCluster, object: KubernetesObject): void {
  cluster.watched.set('Deployment/ns/api/api', object);
  cluster.notify('ns', 'api');
}

function waiting(
  { clients, cluster }: FakeParts,
  more: Partial<WaitInput> = {},
  limitSeconds = 5,
): { done: Promise<string>; statuses: string[]; settled: () => boolean } {
  const signal = more.signal ?? new AbortController().signal;
  const statuses: string[] = [];
  let settled = false;
  const done = waitForRelease(clients, {
    release,
    job: false,
    probe: undefined,
    answersOnly: false,
    signal,
    deadline: createDeadline({ limitSeconds, spentSeconds: 0, counts: () => cluster.live, signal }),
    onStatus: (status) => {
      statuses.push(status);
    },
    ...more,
  });
  done.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  return { done, statuses, settled: () => settled };
}

describe('waiting for a release', () => {
  test('healthy already: one look is enough', async () => {
    await withFakeClients(async (parts) => {
      parts.cluster.objects.set(PATH, deployment(5));
      assert.equal(await waiting(parts).done, 'Deployment api: 1/1 replicas available');
    });
  });

  test('scaled to zero: done, and nobody is asked', async () => {
    await withFakeClients(async (parts) => {
      const none = deployment(5, { available: 0 });
      none['spec'] = { replicas: 0 };
      none['status'] = { observedGeneration: 1 };
      parts.cluster.objects.set(PATH, none);
      const probe = { kind: 'http', path: '/', port: 80 } as const;
      assert.match(await waiting(parts, { probe }).done, /^scaled to zero/);
    });
  });

  test('not before Kubernetes has picked that up', async () => {
    await withFakeClients(async (parts) => {
      const ending = deployment(5, { available: 1 });
      ending['spec'] = { replicas: 0 };
      ending['status'] = { observedGeneration: 0 };
      parts.cluster.objects.set(PATH, ending);
      await assert.rejects(waiting(parts, {}, 0.2).done, /has not been picked up yet/);
    });
  });

  test('a status that a watch delivered before the apply does not count', async () => {
    await withFakeClients(async (parts) => {
      const { cluster } = parts;
      // What the watch knows: the old generation, healthy. What the API server has: the new one, not looked at yet.
      seen(cluster, deployment(5, { generation: 1 }));
      cluster.objects.set(PATH, deployment(9, { generation: 2, observed: 1 }));
      const wait = waiting(parts);
      await eventually(() =>
        assert.deepEqual(
          [wait.settled(), wait.statuses],
          [false, ['Deployment api: the newest change has not been picked up yet']],
        ),
      );
      seen(cluster, deployment(12, { generation: 2, available: 0 }));
      await sleep(20);
      assert.equal(wait.settled(), false);
      seen(cluster, deployment(15, { generation: 2 }));
      assert.match(await wait.done, /1\/1/);
    });
  });

  test('nor does the status of an older object of the same name', async () => {
    await withFakeClients(async (parts) => {
      const { cluster } = parts;
      seen(cluster, deployment(99, { uid: 'uid-old' }));
      cluster.objects.set(PATH, deployment(9, { uid: 'uid-new', available: 0 }));
      const wait = waiting(parts);
      await sleep(50);
      assert.equal(wait.settled(), false);
      seen(cluster, deployment(100, { uid: 'uid-new' }));
      await wait.done;
    });
  });

  test('the service itself is asked once Kubernetes finds it ready, and again until it answers well', async () => {
    await withFakeClients(async (parts) => {
      const { cluster, clients } = parts;
      cluster.objects.set(PATH, deployment(5));
      cluster.watched.set('Pod/ns/api/api-1', {
        metadata: {
          name: 'api-1',
          namespace: 'ns',
          uid: 'p',
          resourceVersion: '1',
          labels: { 'app.kubernetes.io/instance': 'api' },
        },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      });
      let asked = 0;
      clients.kubernetes.exec = () => Promise.resolve({ exitCode: (asked += 1) < 3 ? 1 : 0, stdout: '', stderr: '' });
      const wait = waiting(parts, { probe: { kind: 'exec', command: ['redis-cli', 'ping'] } });
      assert.equal(await wait.done, 'redis-cli exited 0');
      assert.deepEqual([asked, wait.statuses], [3, ['redis-cli exited 1']]);
    });
  });

  test('out of time: pod, container and reason are named', async () => {
    await withFakeClients(async (parts) => {
      parts.cluster.objects.set(PATH, deployment(5, { available: 0 }));
      parts.cluster.watched.set('Pod/ns/api/api-1', {
        metadata: {
          name: 'api-1',
          namespace: 'ns',
          uid: 'p',
          resourceVersion: '1',
          labels: { 'app.kubernetes.io/instance': 'api' },
        },
        status: {
          phase: 'Pending',
          containerStatuses: [
            { name: 'main', state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } },
          ],
        },
      });
      await assert.rejects(waiting(parts, {}, 0.1).done, {
        type: 'NotHealthyInTime',
        message:
          /^api was not healthy within \d+ s: Deployment api: 0\/1 replicas available; pod api-1, container main: ImagePullBackOff \(no such image\)$/,
      });
    });
  });

  test('a Job that failed ends the wait at once', async () => {
    await withFakeClients(async (parts) => {
      parts.cluster.objects.set('/apis/batch/v1/namespaces/ns/jobs/api', {
        metadata: {
          name: 'api',
          namespace: 'ns',
          uid: 'j',
          resourceVersion: '1',
          labels: { 'app.kubernetes.io/instance': 'api' },
          annotations: { 'meta.helm.sh/release-name': 'api' },
        },
        status: {
          conditions: [{ type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'too often' }],
        },
      });
      await assert.rejects(waiting(parts, { job: true }).done, {
        type: 'JobFailed',
        message: /BackoffLimitExceeded, too often/,
      });
    });
  });

  test('a release without workloads is done, one that should have a Job is not', async () => {
    await withFakeClients(async (parts) => {
      assert.match(await waiting(parts).done, /no workload of its own/);
      await assert.rejects(waiting(parts, { job: true }, 0.05).done, { message: /the Job of api is not there/ });
    });
  });

  test('an API server that is away is waited for, and that time does not count', async () => {
    await withFakeClients(async (parts) => {
      const { UnreachableError } = await import('../../src/clients/kubernetes/index.ts');
      const { list } = parts.clients.kubernetes;
      parts.cluster.live = false;
      parts.clients.kubernetes.list = () => Promise.reject(new UnreachableError('connection refused'));
      const wait = waiting(parts, {}, 0.05);
      await sleep(150);
      await eventually(() => assert.deepEqual([wait.settled(), wait.statuses], [false, ['connection refused']]));
      parts.clients.kubernetes.list = list;
      parts.cluster.objects.set(PATH, deployment(5));
      parts.cluster.live = true;
      seen(parts.cluster, deployment(5));
      await wait.done;
    });
  });

  test('nor does it end the wait when it goes away while Vault is looked at, or the pods to ask are looked up', async () => {
    await withFakeClients(async (parts) => {
      const { UnreachableError } = await import('../../src/clients/kubernetes/index.ts');
      const { cluster, clients } = parts;
      const { list } = clients.kubernetes;
      const { state } = clients.vault;
      cluster.objects.set(PATH, deployment(5, { available: 0 }));
      const wait = waiting(parts, { readsVault: true, probe: { kind: 'exec', command: ['redis-cli', 'ping'] } });
      await eventually(() => assert.equal(wait.statuses.length, 1));
      clients.vault.state = () => Promise.reject(new UnreachableError('connection refused'));
      await eventually(() => {
        cluster.notify('vault-system', 'vault');
        assert.deepEqual([wait.settled(), wait.statuses.at(-1)], [false, 'connection refused']);
      });
      clients.vault.state = state;
      clients.kubernetes.list = (path, query, signal) =>
        path.endsWith('/pods') ? Promise.reject(new UnreachableError('no pods')) : list(path, query, signal);
      cluster.objects.set(PATH, deployment(9));
      seen(cluster, deployment(9));
      await eventually(() => assert.deepEqual([wait.settled(), wait.statuses.at(-1)], [false, 'no pods']));
      clients.kubernetes.list = list;
      clients.kubernetes.exec = () => Promise.resolve({ exitCode: 0, stdout: '', stderr: '' });
      cluster.watched.set('Pod/ns/api/api-1', {
        metadata: {
          name: 'api-1',
          namespace: 'ns',
          uid: 'p',
          resourceVersion: '1',
          labels: { 'app.kubernetes.io/instance': 'api' },
        },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      });
      assert.equal(await wait.done, 'redis-cli exited 0');
    });
  });

  test('Vault before it is initialised need only answer', async () => {
    await withFakeClients(async (parts) => {
      assert.match(
        await waiting(parts, { answersOnly: true, probe: { kind: 'vault', port: 8200 } }).done,
        /not initialised/,
      );
    });
  });

  test('Vault that comes back sealed while something is waited for is opened again', async () => {
    await withFakeClients(async (parts) => {
      const { cluster, clients, vault, run } = parts;
      await createActivities(clients, () => testScope()).openVault(run);
      cluster.objects.set(PATH, deployment(5, { available: 0 }));
      const wait = waiting(parts);
      await eventually(() => assert.equal(wait.statuses.length, 1));
      const asked = vault.requests.length;
      await sleep(50);
      assert.equal(vault.requests.length, asked, 'nothing has changed: nobody asks');
      vault.seal();
      cluster.notify('vault-system', 'vault');
      await eventually(() => assert.deepEqual([vault.sealed, wait.settled()], [false, false]));
      seen(cluster, deployment(6));
      await wait.done;
    });
  });

  test('one that is away is looked for until it answers; without its keys the wait goes on', async () => {
    await withFakeClients(async (parts) => {
      const { cluster, clients, vault, run } = parts;
      await createActivities(clients, () => testScope()).openVault(run);
      cluster.objects.set(PATH, deployment(5, { available: 0 }));
      const wait = waiting(parts, { readsVault: true });
      await eventually(() => assert.equal(wait.statuses.length, 1));
      vault.seal();
      vault.cutAt(1, 'before');
      cluster.notify('vault-system', 'vault');
      await sleep(100);
      assert.equal(vault.sealed, true);
      vault.heal();
      await eventually(() => assert.equal(vault.sealed, false));
      await rm(clients.vault.keys.path);
      vault.seal();
      cluster.notify('vault-system', 'vault');
      await sleep(100);
      assert.deepEqual([vault.sealed, wait.settled()], [true, false]);
      seen(cluster, deployment(6));
      await wait.done;
    });
  });

  const statefulSet: KubernetesObject = {
    metadata: {
      name: 'api',
      namespace: 'ns',
      uid: 's',
      generation: 1,
      resourceVersion: '5',
      labels: { 'app.kubernetes.io/instance': 'api' },
      annotations: { 'meta.helm.sh/release-name': 'api' },
    },
    spec: { replicas: 1 },
    status: { observedGeneration: 1, replicas: 0 },
  };
  const quota = (at: number): KubernetesObject => ({
    metadata: { name: 'api.1', namespace: 'ns', uid: 'e', resourceVersion: '9' },
    type: 'Warning',
    reason: 'FailedCreate',
    message: 'create Pod api-0 in StatefulSet api failed error: pods "api-0" is forbidden: exceeded quota: none',
    involvedObject: { kind: 'StatefulSet', name: 'api', uid: 's' },
    lastTimestamp: new Date(at).toISOString(),
  });

  test('a pod that cannot be made: named while it is waited for, within seconds', async () => {
    await withFakeClients(async (parts) => {
      parts.cluster.objects.set('/apis/apps/v1/namespaces/ns/statefulsets/api', statefulSet);
      parts.cluster.warnings.push(quota(Date.now()));
      const causes: string[] = [];
      const began = performance.now();
      const said: number[] = [];
      const onStatus = (_status: string, cause: string): void => {
        causes.push(cause);
        said.push(performance.now() - began);
      };
      const wait = waiting(parts, { onStatus }, 120);
      await eventually(() =>
        assert.deepEqual(causes, [
          '',
          'StatefulSet api: FailedCreate (pods "api-0" is forbidden: exceeded quota: none)',
        ]),
      );
      assert.ok(said[1]! > 2400, 'most releases are healthy before, and nobody asks for events');
      // The quota was raised, and the pod is created.
      const made = { ...statefulSet, status: { observedGeneration: 1, replicas: 1, readyReplicas: 0 } };
      const known = { ...made, metadata: { ...made.metadata, resourceVersion: '20' } };
      parts.cluster.watched.set('StatefulSet/ns/api/api', known);
      parts.cluster.notify('ns', 'api');
      await eventually(() => assert.equal(causes.at(-1), '', 'once it is there, what was said before is over'));
      parts.cluster.watched.set('StatefulSet/ns/api/api', {
        ...known,
        status: { observedGeneration: 1, replicas: 1, readyReplicas: 1 },
      });
      parts.cluster.notify('ns', 'api');
      await wait.done;
    });
  });

  test('and where no waiting helps, the wait ends a minute later; what was said before this wait does not count', () => {
    let now = 1_000_000;
    const events: KubernetesObject[] = [quota(now - 60_000)];
    const watches = { of: () => [], warnings: () => events, refused: () => undefined } as unknown as Watches;
    const reasons = createReasons({ watches }, release, () => now);
    const look = (): { cause: string; final: boolean } =>
      reasons.of([{ kind: 'StatefulSet', name: 'api', object: statefulSet }]);
    assert.deepEqual(look(), { cause: '', final: false });
    now += 3000;
    assert.match(look().cause, /exceeded quota/);
    now += 100_000;
    assert.equal(look().final, false);
    events[0] = quota(now);
    assert.equal(look().final, false);
    now += 59_000;
    assert.equal(look().final, false);
    now += 1000;
    assert.equal(look().final, true);
  });

  test('a watch that has lost its right: said, not believed, and it does not stop the time', async () => {
    await withFakeClients(async (parts) => {
      const { cluster } = parts;
      cluster.objects.set(PATH, deployment(5, { available: 0 }));
      cluster.live = false;
      cluster.refused = 'Pod can no longer be watched (GET /api/v1/pods: 403 pods is forbidden)';
      const wait = waiting(parts, {
        deadline: createDeadline({ limitSeconds: 0.3, spentSeconds: 0, signal: new AbortController().signal }),
      });
      await assert.rejects(wait.done, {
        type: 'NotHealthyInTime',
        message:
          /^api was not healthy within \d+ s: Deployment api: 0\/1 replicas available; Pod can no longer be watched \(GET \/api\/v1\/pods: 403 pods is forbidden\): looked at every ten seconds instead$/,
      });
    });
  });

  test('an API server that stays away ends the attempt, so that whoever tries again counts the time', async () => {
    await withFakeClients(async (parts) => {
      const { UnreachableError } = await import('../../src/clients/kubernetes/index.ts');
      parts.clients.kubernetes.watches.synced = () => Promise.reject(new UnreachableError('connection refused'));
      const deadline = createDeadline({ limitSeconds: 5, spentSeconds: 0, signal: new AbortController().signal });
      await assert.rejects(waiting(parts, { awaySeconds: 0, deadline }).done, { message: 'connection refused' });
      assert.ok(deadline.spent() < 3, 'time in which the cluster was not seen does not count');
    });
  });

  test('cancellation ends it', async () => {
    await withFakeClients(async (parts) => {
      const controller = new AbortController();
      parts.cluster.objects.set(PATH, deployment(5, { available: 0 }));
      const wait = waiting(parts, { signal: controller.signal });
      setTimeout(() => {
        controller.abort(new Error('stop'));
      }, 20);
      await assert.rejects(wait.done, /stop/);
    });
  });
});
