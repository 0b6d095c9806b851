import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AccessBasis, IDENTITIES, type Identity, identityOf } from '../../../src/plan/access/identities.ts';
import { accessObjects } from '../../../src/plan/access/manifests.ts';
import { grants, type Right, rulesOf } from '../../../src/plan/access/rules.ts';
import { type ManifestObject, manifestObjects } from '../../../src/plan/diff/manifest.ts';

const objects = (text: string): ManifestObject[] => manifestObjects(text);
const RELEASE = objects(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: carts.shop.example}
spec: {group: shop.example, scope: Namespaced, names: {kind: Cart, plural: carts}}
---
apiVersion: shop.example/v1
kind: Cart
metadata: {name: first, namespace: stock}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: shop-operator}
rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: shop-operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: shop-operator}
`);
const basis: AccessBasis = {
  namespaces: ['shop', 'stock', 'vault-system'],
  releases: [{ name: 'shop', namespace: 'shop', objects: RELEASE }],
  checkJobs: ['stock'],
  snapshots: ['shop'],
  keys: { namespace: 'ananta-system', name: 'vault-keys' },
  notify: [{ namespace: 'ananta-deployer', name: 'chat' }],
};
const RBAC = 'rbac.authorization.k8s.io';
const SNAPSHOTS = 'snapshot.storage.k8s.io';

const may = (identity: Identity, namespace: string | undefined, right: Right): boolean =>
  grants(rulesOf(identity.cluster), right) ||
  (namespace !== undefined && grants(rulesOf(identity.namespaced.get(namespace) ?? []), right));

describe('identities', () => {
  const cases: [who: 'deployer' | 'drift' | 'viewer', namespace: string | undefined, right: Right, allowed: boolean][] =
    [
      ['deployer', 'shop', { verb: 'create', group: 'networking.k8s.io', resource: 'ingresses' }, true],
      ['deployer', 'stock', { verb: 'create', group: 'networking.k8s.io', resource: 'ingresses' }, false],
      ['deployer', 'stock', { verb: 'create', group: 'batch', resource: 'jobs' }, true],
      ['deployer', 'shop', { verb: 'create', group: 'batch', resource: 'jobs' }, false],
      ['drift', 'stock', { verb: 'create', group: 'batch', resource: 'jobs' }, false],
      ['deployer', 'shop', { verb: 'create', group: SNAPSHOTS, resource: 'volumesnapshots' }, true],
      ['deployer', 'shop', { verb: 'delete', group: SNAPSHOTS, resource: 'volumesnapshots' }, true],
      ['deployer', 'stock', { verb: 'create', group: SNAPSHOTS, resource: 'volumesnapshots' }, false],
      ['drift', 'shop', { verb: 'create', group: SNAPSHOTS, resource: 'volumesnapshots' }, false],
      ['deployer', 'stock', { verb: 'patch', group: 'shop.example', resource: 'carts' }, true],
      ['deployer', 'shop', { verb: 'patch', group: 'shop.example', resource: 'carts' }, false],
      ['deployer', undefined, { verb: 'escalate', group: RBAC, resource: 'clusterroles', name: 'shop-operator' }, true],
      ['deployer', undefined, { verb: 'escalate', group: RBAC, resource: 'clusterroles', name: 'other' }, false],
      ['deployer', undefined, { verb: 'bind', group: RBAC, resource: 'clusterroles', name: 'cluster-admin' }, false],
      ['deployer', undefined, { verb: 'create', group: RBAC, resource: 'clusterrolebindings' }, false],
      ['deployer', undefined, { verb: 'create', group: '', resource: 'namespaces' }, false],
      ['deployer', undefined, { verb: 'delete', group: '', resource: 'namespaces', name: 'shop' }, true],
      ['deployer', undefined, { verb: 'delete', group: '', resource: 'namespaces', name: 'kube-system' }, false],
      ['deployer', undefined, { verb: 'delete', group: '', resource: 'persistentvolumes' }, false],
      ['deployer', 'kube-system', { verb: 'get', group: '', resource: 'secrets' }, false],
      ['deployer', 'ananta-system', { verb: 'update', group: '', resource: 'secrets', name: 'vault-keys' }, true],
      ['deployer', 'ananta-deployer', { verb: 'get', group: '', resource: 'secrets', name: 'chat' }, true],
      ['drift', 'ananta-deployer', { verb: 'get', group: '', resource: 'secrets', name: 'chat' }, true],
      ['deployer', 'ananta-deployer', { verb: 'get', group: '', resource: 'secrets', name: 'other' }, false],
      ['viewer', 'ananta-deployer', { verb: 'get', group: '', resource: 'secrets', name: 'chat' }, false],
      ['deployer', 'ananta-system', { verb: 'list', group: '', resource: 'secrets' }, false],
      ['deployer', 'vault-system', { verb: 'delete', group: '', resource: 'pods' }, true],
      ['deployer', 'shop', { verb: 'delete', group: '', resource: 'persistentvolumeclaims' }, true],
      ['drift', 'shop', { verb: 'patch', group: 'networking.k8s.io', resource: 'ingresses' }, true],
      ['drift', 'shop', { verb: 'delete', group: 'networking.k8s.io', resource: 'ingresses' }, false],
      ['drift', 'shop', { verb: 'delete', group: '', resource: 'persistentvolumeclaims' }, false],
      ['drift', undefined, { verb: 'delete', group: '', resource: 'namespaces', name: 'shop' }, false],
      ['viewer', 'shop', { verb: 'list', group: '', resource: 'pods' }, true],
      ['viewer', 'shop', { verb: 'get', group: '', resource: 'secrets' }, false],
      ['viewer', 'shop', { verb: 'create', group: '', resource: 'pods/exec' }, false],
    ];
  for (const [who, namespace, right, allowed] of cases) {
    test(`${who} may ${allowed ? '' : 'not '}${right.verb} ${right.resource} ${right.name ?? ''} ${namespace === undefined ? '' : `in ${namespace}`}`, () => {
      assert.equal(may(identityOf(who, basis), namespace, right), allowed);
    });
  }

  test('a kind that nobody defines is refused, and named', () => {
    const unknown = objects('apiVersion: nowhere.example/v1\nkind: Thing\nmetadata: {name: a}\n');
    assert.throws(
      () => identityOf('deployer', { ...basis, releases: [{ name: 'shop', namespace: 'shop', objects: unknown }] }),
      /shop renders Thing a \(nowhere\.example\/v1\)/,
    );
  });

  test('nobody gets a wildcard, nobody may impersonate, and the viewer has no word with Secrets', () => {
    for (const name of IDENTITIES) {
      const rules = JSON.stringify(accessObjects(identityOf(name, basis)).map(({ object }) => object['rules']));
      assert.doesNotMatch(rules, /\*|impersonate/, name);
    }
    assert.doesNotMatch(JSON.stringify(accessObjects(identityOf('viewer', basis))), /secrets/);
  });

  test('the deployer is a service account, the workers in the cluster, and a group', () => {
    const bindings = accessObjects(identityOf('deployer', basis)).filter(({ object }) =>
      object.kind.endsWith('Binding'),
    );
    assert.ok(bindings.length >= 5);
    for (const { object } of bindings) {
      assert.deepEqual(
        (object['subjects'] as { kind: string; name: string }[]).map(({ kind, name }) => `${kind} ${name}`),
        ['ServiceAccount ananta-deployer', 'ServiceAccount deployer-worker', 'Group ananta-deployer'],
      );
    }
  });
});
