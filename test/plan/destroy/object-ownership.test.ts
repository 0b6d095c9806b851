import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ObjectOwnership,
  objectOwnershipOf,
  madeAtRunTime,
  named,
  type SeenObject,
} from '../../../src/plan/destroy/object-ownership.ts';
import { miniCatalog } from '../../support/mini.ts';

const MADE = madeAtRunTime(await miniCatalog());
const RELEASES = new Set(['apps/api']);
const HELM = { 'meta.helm.sh/release-name': 'api', 'meta.helm.sh/release-namespace': 'apps' };
const seen = (kind: string, name: string, more: Partial<SeenObject> = {}): SeenObject => ({
  group: '',
  kind,
  namespace: 'apps',
  name,
  labels: {},
  annotations: {},
  owned: false,
  ...more,
});

describe('whose an object is', () => {
  const CASES: [what: string, object: SeenObject, ownership: ObjectOwnership][] = [
    [
      'a Secret made from Vault',
      seen('Secret', 'vault-x', { labels: { 'app.kubernetes.io/managed-by': 'ananta-deploy' } }),
      'ours',
    ],
    ['an object of a release of ours', seen('ConfigMap', 'api', { annotations: HELM }), 'ours'],
    [
      "an object of somebody's release",
      seen('ConfigMap', 'other', { annotations: { ...HELM, 'meta.helm.sh/release-name': 'other' } }),
      'foreign',
    ],
    [
      'the record of a release of ours',
      seen('Secret', 'sh.helm.release.v1.api.v1', { labels: { owner: 'helm', 'ananta-environment': 'test' } }),
      'ours',
    ],
    [
      "the record of another environment's",
      seen('Secret', 'sh.helm.release.v1.api.v1', { labels: { owner: 'helm', 'ananta-environment': 'staging' } }),
      'foreign',
    ],
    [
      "the record of somebody's release",
      seen('Secret', 'sh.helm.release.v1.x.v1', { labels: { owner: 'helm' } }),
      'foreign',
    ],
    [
      'a claim of a release of ours',
      seen('PersistentVolumeClaim', 'data-api-0', { labels: { 'app.kubernetes.io/instance': 'api' } }),
      'volume',
    ],
    [
      'what carries our mark and the name of another environment',
      seen('Secret', 'vault-x', {
        labels: { 'app.kubernetes.io/managed-by': 'ananta-deploy', 'ananta.dev/environment': 'other' },
      }),
      'foreign',
    ],
    [
      'a claim of another environment, named as one of ours',
      seen('PersistentVolumeClaim', 'data-api-0', {
        labels: { 'app.kubernetes.io/instance': 'api', 'ananta.dev/environment': 'other' },
      }),
      'foreign',
    ],
    [
      'what carries our name',
      seen('Secret', 'vault-x', {
        labels: { 'app.kubernetes.io/managed-by': 'ananta-deploy', 'ananta.dev/environment': 'test' },
      }),
      'ours',
    ],
    [
      'what carries the name of an environment that we took the cluster over from',
      seen('Secret', 'vault-x', {
        labels: { 'app.kubernetes.io/managed-by': 'ananta-deploy', 'ananta.dev/environment': 'before' },
      }),
      'ours',
    ],
    [
      "another environment's object, in the name of a release of ours",
      seen('ConfigMap', 'api', { annotations: HELM, labels: { 'ananta.dev/environment': 'other' } }),
      'foreign',
    ],
    [
      'an object of a release of ours, with our name',
      seen('ConfigMap', 'api', { annotations: HELM, labels: { 'ananta.dev/environment': 'test' } }),
      'ours',
    ],
    [
      'what has lost the marks of Helm, and carries our name',
      seen('ConfigMap', 'api', { labels: { 'ananta.dev/environment': 'test' } }),
      'ours',
    ],
    [
      "an object of somebody's release that was installed with a copy of our values",
      seen('ConfigMap', 'copy', {
        annotations: { ...HELM, 'meta.helm.sh/release-name': 'copy' },
        labels: { 'ananta.dev/environment': 'test' },
      }),
      'foreign',
    ],
    [
      "a claim of somebody's release that was installed with a copy of our values",
      seen('PersistentVolumeClaim', 'data-copy-0', {
        labels: { 'app.kubernetes.io/instance': 'copy', 'ananta.dev/environment': 'test' },
      }),
      'foreign',
    ],
    [
      'what a controller has made and given our label',
      seen('EndpointSlice', 'api-x', { labels: { 'ananta.dev/environment': 'test' } }),
      'automatic',
    ],
    ['a claim of somebody', seen('PersistentVolumeClaim', 'theirs'), 'foreign'],
    ['what a controller has made', seen('Pod', 'x', { owned: true }), 'automatic'],
    ['what is in every namespace', seen('ConfigMap', 'kube-root-ca.crt'), 'automatic'],
    ['the default service account', seen('ServiceAccount', 'default'), 'automatic'],
    ['what a service makes while it runs', seen('Secret', 'cnpg-ca-secret', { namespace: 'operators' }), 'ours'],
    ['the same name elsewhere', seen('Secret', 'cnpg-ca-secret'), 'foreign'],
    ["somebody's settings", seen('ConfigMap', 'settings'), 'foreign'],
    ["somebody's workload", seen('Deployment', 'tool', { group: 'apps' }), 'foreign'],
  ];
  for (const [what, object, ownership] of CASES)
    test(`${what}: ${ownership}`, () =>
      assert.equal(objectOwnershipOf(object, RELEASES, 'test', MADE, ['before']), ownership));

  test('many are named in a few words', () => {
    assert.equal(named([{ kind: 'Pod', name: 'a' }]), 'Pod a');
    assert.equal(
      named(Array.from({ length: 7 }, (_, index) => ({ kind: 'Pod', name: `p${index}` }))),
      'Pod p0, Pod p1, Pod p2, Pod p3, Pod p4 and 2 more',
    );
  });
});
