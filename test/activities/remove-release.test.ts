import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HelmError } from '../../src/clients/helm/index.ts';
import type { Kind, KubernetesObject } from '../../src/clients/kubernetes/index.ts';
import type { PlannedStep } from '../../src/contract/operations/plan.ts';
import { type FakeParts, withFakeClients } from '../support/fakes/clients.ts';
import { testScope } from '../support/scope.ts';
import { unguardedActivities } from '../../src/activities/index.ts';
import type { OutputOf } from '../../src/contract/activities.ts';

const STEP: PlannedStep = {
  kind: 'release',
  name: 'api',
  namespace: 'ns',
  job: false,
  action: 'remove',
  reason: 'destroy',
  digest: '0123456789abcdef',
};
const VERBS = ['list', 'get', 'delete'];
const KINDS: Kind[] = [
  { group: 'apps', version: 'v1', kind: 'Deployment', plural: 'deployments', namespaced: true, verbs: VERBS },
  {
    group: '',
    version: 'v1',
    kind: 'PersistentVolumeClaim',
    plural: 'persistentvolumeclaims',
    namespaced: true,
    verbs: VERBS,
  },
  { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true, verbs: VERBS },
];
const marks = { 'meta.helm.sh/release-name': 'api', 'meta.helm.sh/release-namespace': 'ns' };

function record(
  { cluster }: FakeParts,
  number: number,
  status: string,
  environment: string | undefined = 'sandbox',
): string {
  const path = `/api/v1/namespaces/ns/secrets/sh.helm.release.v1.api.v${number}`;
  cluster.objects.set(path, {
    metadata: {
      name: `sh.helm.release.v1.api.v${number}`,
      namespace: 'ns',
      uid: `uid-${number}`,
      resourceVersion: '1',
      labels: {
        owner: 'helm',
        name: 'api',
        version: String(number),
        status,
        'ananta-run': 'run-1',
        ...(environment === undefined ? {} : { 'ananta-environment': environment }),
      },
    },
  });
  return path;
}
function put({ cluster }: FakeParts, path: string, metadata: Partial<KubernetesObject['metadata']> = {}): void {
  cluster.objects.set(path, {
    metadata: {
      name: path.split('/').at(-1)!,
      namespace: 'ns',
      uid: path,
      resourceVersion: '1',
      annotations: marks,
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      ...metadata,
    },
  });
}

/** A Helm that works: it removes the record. */
function helmOf(parts: FakeParts): string[] {
  const calls: string[] = [];
  parts.clients.kubernetes.kinds = () => Promise.resolve({ kinds: KINDS, silent: [] });
  parts.clients.helm.uninstall = ({ release, priority }) => {
    calls.push(`${release} ${priority}`);
    for (const path of [...parts.cluster.objects.keys()])
      if (path.includes('/sh.helm.release.')) parts.cluster.objects.delete(path);
    return Promise.resolve({ seconds: 0, queuedSeconds: 0 });
  };
  return calls;
}
const remove = (parts: FakeParts): OutputOf<'removeRelease'> =>
  unguardedActivities(parts.clients, () => testScope()).removeRelease({
    run: parts.run,
    service: 'api',
    step: STEP,
    priority: 7,
  });

describe('removing a release', () => {
  test('uninstalled by Helm, with its priority; a second time there is nothing to do', async () => {
    await withFakeClients(async (parts) => {
      const calls = helmOf(parts);
      record(parts, 3, 'deployed');
      assert.equal((await remove(parts)).removed, true);
      assert.equal((await remove(parts)).removed, false);
      assert.deepEqual(calls, ['api 7']);
    });
  });

  test('an interrupted one: the unfinished record goes, then what is left of the release but for volumes, what is marked to be kept, and what another environment has its name on', async () => {
    await withFakeClients(async (parts) => {
      const calls = helmOf(parts);
      record(parts, 1, 'pending-install');
      put(parts, '/apis/apps/v1/namespaces/ns/deployments/api');
      put(parts, '/apis/apps/v1/namespaces/ns/deployments/other', {
        annotations: { ...marks, 'meta.helm.sh/release-name': 'other' },
      });
      put(parts, '/api/v1/namespaces/ns/persistentvolumeclaims/data');
      put(parts, '/api/v1/namespaces/ns/configmaps/kept', {
        annotations: { ...marks, 'helm.sh/resource-policy': 'keep' },
      });
      put(parts, '/api/v1/namespaces/ns/configmaps/theirs', {
        labels: { 'app.kubernetes.io/managed-by': 'Helm', 'ananta.dev/environment': 'another' },
      });
      assert.equal((await remove(parts)).removed, true);
      assert.deepEqual(calls, []);
      assert.deepEqual(parts.cluster.removed, [
        '/api/v1/namespaces/ns/secrets/sh.helm.release.v1.api.v1',
        '/apis/apps/v1/namespaces/ns/deployments/api',
      ]);
    });
  });

  test('a record is gone, objects are not: they are removed by their marks', async () => {
    await withFakeClients(async (parts) => {
      helmOf(parts);
      put(parts, '/apis/apps/v1/namespaces/ns/deployments/api');
      assert.equal((await remove(parts)).removed, true);
      assert.deepEqual(parts.cluster.removed, ['/apis/apps/v1/namespaces/ns/deployments/api']);
    });
  });

  test('kinds of the release are gone from the cluster: what is left is removed without Helm, its record too', async () => {
    await withFakeClients(async (parts) => {
      helmOf(parts);
      parts.clients.helm.uninstall = () =>
        Promise.reject(
          new HelmError(
            'Unexpected',
            'unable to build kubernetes objects for delete: no matches for kind "AppProject"',
          ),
        );
      const path = record(parts, 2, 'deployed');
      put(parts, '/api/v1/namespaces/ns/configmaps/settings');
      assert.equal((await remove(parts)).removed, true);
      assert.deepEqual(parts.cluster.removed, ['/api/v1/namespaces/ns/configmaps/settings', path]);
    });
  });

  for (const [environment, by] of [
    [undefined, 'no deployment to "sandbox" made it'],
    ['staging', 'a deployment to environment "staging" made it'],
  ] as const) {
    test(`${by}: refused, nothing touched`, async () => {
      await withFakeClients(async (parts) => {
        const calls = helmOf(parts);
        record(parts, 1, 'deployed', environment === undefined ? undefined : environment);
        if (environment === undefined)
          delete parts.cluster.objects.get('/api/v1/namespaces/ns/secrets/sh.helm.release.v1.api.v1')!.metadata.labels![
            'ananta-environment'
          ];
        await assert.rejects(remove(parts), {
          name: 'ForeignReleaseError',
          message: new RegExp(`${by}.*Nothing was touched.*helm uninstall api --namespace ns`, 's'),
        });
        assert.deepEqual([calls, parts.cluster.removed], [[], []]);
      });
    });
  }

  test('waits until its pods have ended', async () => {
    await withFakeClients(async (parts) => {
      helmOf(parts);
      record(parts, 1, 'deployed');
      const key = 'Pod/ns/api/api-0';
      parts.cluster.watched.set(key, {
        metadata: {
          name: 'api-0',
          namespace: 'ns',
          uid: 'u',
          resourceVersion: '1',
          deletionTimestamp: '2026-01-01T00:00:00Z',
        },
      });
      let done = false;
      const removing = remove(parts).then(() => {
        done = true;
      });
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
      assert.equal(done, false);
      parts.cluster.watched.delete(key);
      parts.cluster.notify('ns', 'api');
      await removing;
    });
  });
});
