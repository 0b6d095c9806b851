/**
 * Two environments' objects in one cluster: a destruction with all data takes those of its own, and nothing of the
 * other.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Kind, KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import type { Clients } from '../../../src/clients/index.ts';
import { withFakeClients } from '../../support/fakes/clients.ts';
import { OWNER_PATH, ownerRecord } from '../../support/owner.ts';
import { testScope } from '../../support/scope.ts';
import { unguardedActivities } from '../../../src/activities/index.ts';

const VERBS = ['get', 'list', 'delete', 'create', 'patch'];
const kind = (name: string, plural: string): Kind => ({
  group: '',
  version: 'v1',
  kind: name,
  plural,
  namespaced: true,
  verbs: VERBS,
});
const KINDS = [
  kind('Secret', 'secrets'),
  kind('ConfigMap', 'configmaps'),
  kind('PersistentVolumeClaim', 'persistentvolumeclaims'),
];
const MARK = { 'app.kubernetes.io/managed-by': 'ananta-deploy' };

function labelsOf(environment: string | undefined, more: Record<string, string> = {}): Record<string, string> {
  return { ...MARK, ...(environment === undefined ? {} : { 'ananta.dev/environment': environment }), ...more };
}

function object(
  namespace: string,
  plural: string,
  name: string,
  labels: Record<string, string>,
): [string, KubernetesObject] {
  const path = `/api/v1/namespaces/${namespace}/${plural}/${name}`;
  return [path, { metadata: { name, namespace, uid: path, resourceVersion: '1', labels }, data: {}, spec: {} }];
}

function namespaceOf(name: string, labels: Record<string, string>): [string, KubernetesObject] {
  const path = `/api/v1/namespaces/${name}`;
  return [
    path,
    { metadata: { name, uid: path, resourceVersion: '1', labels, annotations: { 'ananta.dev/created': 'true' } } },
  ];
}

const instance = { 'app.kubernetes.io/instance': 'cache' };
/**
 * Objects with the labels of this environment; undefined: of an earlier version, which did not set the environment's
 * name.
 */
const madeBy = (environment: string | undefined, suffix: string): [string, KubernetesObject][] => [
  object('stores', 'secrets', `vault-redis${suffix}`, labelsOf(environment)),
  object('stores', 'persistentvolumeclaims', `data-cache${suffix}`, labelsOf(environment, instance)),
];

async function destroyed(
  objects: [string, KubernetesObject][],
  over: Partial<Clients['environment']> = {},
  formerly: string[] = [],
): Promise<{ left: string[]; reasons: string; owned: boolean }> {
  let answer = { left: [] as string[], reasons: '', owned: true };
  await withFakeClients(async ({ clients, cluster, run }) => {
    cluster.objects.set(...ownerRecord({ formerly }));
    for (const [path, one] of objects) cluster.objects.set(path, one);
    const kubernetes: Clients['kubernetes'] = {
      ...clients.kubernetes,
      kinds: () => Promise.resolve({ kinds: KINDS, silent: [] }),
      list: (path) => {
        const items = [...cluster.objects]
          .filter(([key]) => key.startsWith(`${path}/`) && !key.slice(path.length + 1).includes('/'))
          .map(([, one]) => one);
        return Promise.resolve({ metadata: { resourceVersion: '1' }, items });
      },
      remove: (path, options) => {
        // With a namespace the API server deletes all that is in it.
        for (const key of [...cluster.objects.keys()]) if (key.startsWith(`${path}/`)) cluster.objects.delete(key);
        return clients.kubernetes.remove(path, options);
      },
    };
    const environment = { ...clients.environment, ...over };
    const vault: Clients['vault'] = {
      ...clients.vault,
      keys: { ...clients.vault.keys, read: () => Promise.resolve(undefined) },
    };
    const { remains } = await unguardedActivities({ ...clients, kubernetes, environment, vault }, () =>
      testScope(),
    ).removeRemains({
      run,
      deleteData: true,
    });
    answer = {
      left: [...cluster.objects.keys()].filter((key) => objects.some(([path]) => path === key)),
      owned: cluster.objects.has(OWNER_PATH),
      reasons: remains.map(({ name, reason }) => `${name}: ${reason}`).join('\n'),
    };
  });
  return answer;
}

describe('destroy --delete-data', () => {
  test('takes all that is its own, named or from before there were names, and with it whose the cluster is', async () => {
    const own = [...madeBy('sandbox', ''), ...madeBy(undefined, '-before')];
    const { left, owned } = await destroyed([
      namespaceOf('stores', labelsOf('sandbox')),
      namespaceOf('ananta-system', MARK),
      object('ananta-system', 'configmaps', 'version-sandbox-1', labelsOf('sandbox')),
      ...own,
    ]);
    assert.deepEqual([left, owned], [[], false]);
  });

  test('leaves Secrets, volumes, keys and versions of another environment, and the namespaces that hold them', async () => {
    const theirs = [
      ...madeBy('other', '-other'),
      object('ananta-system', 'secrets', 'vault-keys', labelsOf('other')),
      object('ananta-system', 'configmaps', 'version-other-1', labelsOf('other', { 'ananta-environment': 'other' })),
      object('ananta-system', 'configmaps', 'drift-other', MARK),
    ];
    const { left, reasons, owned } = await destroyed([
      namespaceOf('stores', labelsOf('sandbox')),
      namespaceOf('ananta-system', MARK),
      ...madeBy('sandbox', ''),
      object('ananta-system', 'configmaps', 'version-sandbox-1', labelsOf('sandbox')),
      object('ananta-system', 'configmaps', 'drift-sandbox', MARK),
      ...theirs,
    ]);
    assert.deepEqual(
      left.sort(),
      [...theirs.map(([path]) => path), '/api/v1/namespaces/stores', '/api/v1/namespaces/ananta-system'].sort(),
    );
    assert.equal(owned, false);
    assert.match(reasons, /ananta-system: it holds what is not ours: .*Secret vault-keys/);
    assert.match(reasons, /stores: .*not ours: .*vault-redis-other/);
  });

  test('a namespace that another environment has made stays', async () => {
    const namespace = namespaceOf('stores', labelsOf('other'));
    const { left } = await destroyed([namespace, ...madeBy('sandbox', '')]);
    assert.deepEqual(left, [namespace[0]]);
  });

  test('what another environment had before it was taken over is its own now', async () => {
    const { left } = await destroyed([namespaceOf('stores', labelsOf('other')), ...madeBy('other', '')], {}, ['other']);
    assert.deepEqual(left, []);
  });
});
