/** Who owns a field that a release did not apply: decided by its writer and its place in the object. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { differences } from '../../../src/plan/drift/compare.ts';
import { additions, isMadeByOthers, replacedWholes } from '../../../src/plan/fields/additions.ts';
import type { ManagedEntry } from '../../../src/plan/fields/managed.ts';
import { pathText } from '../../../src/plan/fields/path.ts';
import { writerOf } from '../../../src/plan/fields/writers.ts';

type Json = Record<string, unknown>;

/** `metadata.labels[a.b/c]`, `spec.containers[name=app].env` as managed fields write it. */
function fieldsOf(paths: readonly string[]): Json {
  const fields: Json = {};
  for (const path of paths) {
    let at = fields;
    for (const part of path.match(/\[[^\]]*\]|[^.[\]]+/g) ?? []) {
      const key = keyOf(part);
      at = (at[key] ??= {}) as Json;
    }
  }
  return fields;
}

function keyOf(part: string): string {
  if (part.startsWith('[=')) return `v:${JSON.stringify(part.slice(2, -1))}`;
  const pairs = /^\[(\w+)=([^\]]+)\]$/.exec(part);
  if (pairs) return `k:${JSON.stringify({ [pairs[1]!]: pairs[2] })}`;
  return `f:${part.replace(/^\[|\]$/g, '')}`;
}

const entry = (manager: string, paths: readonly string[], more: Partial<ManagedEntry> = {}): ManagedEntry => ({
  manager,
  operation: 'Update',
  fieldsV1: fieldsOf(paths),
  ...more,
});

const APPLIED: Record<string, Json> = {
  Deployment: {
    metadata: { name: 'api', labels: { a: '1' }, annotations: { b: '1' } },
    spec: {
      selector: { matchLabels: { a: '1' } },
      template: {
        metadata: { labels: { a: '1' } },
        spec: { containers: [{ name: 'app', image: 'x', env: [{ name: 'A', value: '1' }] }] },
      },
    },
  },
  Service: {
    metadata: { name: 'api', labels: { a: '1' } },
    spec: { selector: { a: '1' }, ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  },
  ServiceAccount: { metadata: { name: 'api', labels: { a: '1' } }, automountServiceAccountToken: false },
  ConfigMap: { metadata: { name: 'api' }, data: { 'app.yaml': 'x' } },
  Empty: { metadata: { name: 'api' }, data: {} },
  Secret: { metadata: { name: 'api' }, data: { a: 'YQ==' } },
  Role: { metadata: { name: 'api' } },
  NetworkPolicy: { metadata: { name: 'api' }, spec: { podSelector: {}, ingress: [] } },
  MutatingWebhookConfiguration: { webhooks: [{ name: 'w', clientConfig: {} }] },
};

/** The same with what others wrote. */
const LIVE: Record<string, Json> = {
  Deployment: {
    metadata: {
      name: 'api',
      labels: { a: '1', team: 'x' },
      annotations: { b: '1', note: 'x', 'deployment.kubernetes.io/revision': '2' },
      finalizers: ['x/y'],
    },
    spec: {
      paused: true,
      selector: { matchLabels: { a: '1' } },
      template: {
        metadata: {
          labels: { a: '1', b: '2' },
          annotations: { 'kubectl.kubernetes.io/restartedAt': 'now', note: 'x' },
        },
        spec: {
          containers: [
            {
              name: 'app',
              image: 'x',
              env: [
                { name: 'A', value: '1' },
                { name: 'B', value: '2' },
              ],
            },
            { name: 'proxy', image: 'y' },
          ],
        },
      },
    },
  },
  Service: {
    metadata: { name: 'api', labels: { a: '1' }, finalizers: ['service.k8s.aws/resources'] },
    spec: {
      clusterIP: '10.0.0.1',
      selector: { a: '1', version: '2' },
      ports: [
        { name: 'http', port: 80, protocol: 'TCP', nodePort: 30_001 },
        { name: 'debug', port: 99, protocol: 'TCP' },
      ],
    },
    status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } },
  },
  ServiceAccount: {
    metadata: { name: 'api', labels: { a: '1' } },
    automountServiceAccountToken: false,
    imagePullSecrets: [{ name: 'api-dockercfg' }],
    secrets: [{ name: 'api-dockercfg' }],
  },
  ConfigMap: { metadata: { name: 'api' }, data: { 'app.yaml': 'x', more: 'y' } },
  Empty: { metadata: { name: 'api' }, data: { 'ca.crt': 'y' } },
  Secret: { metadata: { name: 'api' }, data: { a: 'YQ==', 'tls.key': 'YQ==' } },
  Role: { metadata: { name: 'api' }, rules: [{ verbs: ['*'] }] },
  NetworkPolicy: { metadata: { name: 'api' }, spec: { podSelector: {}, ingress: [], egress: [{}] } },
  MutatingWebhookConfiguration: { webhooks: [{ name: 'w', clientConfig: { caBundle: 'Y2E=' } }] },
};

const drifted = (kind: string, by: ManagedEntry): string[] => {
  const live = { ...LIVE[kind], metadata: { ...(LIVE[kind]!['metadata'] as Json), managedFields: [by] } };
  return additions(kind === 'Empty' ? 'ConfigMap' : kind, APPLIED[kind]!, live).map(pathText);
};

describe('who writes', () => {
  for (const [manager, operation, writer] of [
    ['kubectl-edit', 'Update', 'hand'],
    ['kubectl', 'Update', 'hand'],
    ['kubectl-client-side-apply', 'Update', 'hand'],
    ['k9s', 'Update', 'hand'],
    ['Mozilla', 'Update', 'hand'],
    ['helm', 'Apply', 'helm'],
    // What a webhook adds to what Helm applies.
    ['helm', 'Update', 'controller'],
    ['controller', 'Update', 'controller'],
    ['openshift-controller-manager', 'Update', 'controller'],
    ['argocd-controller', 'Apply', 'controller'],
    ['kubectl2-operator', 'Update', 'controller'],
    ['kube-controller-manager', 'Update', 'system'],
    ['ananta-deploy', 'Apply', 'system'],
  ] as const)
    test(`${manager} (${operation}): ${writer}`, () => assert.equal(writerOf({ manager, operation }), writer));
});

describe('an addition that stays, whoever wrote it', () => {
  for (const [kind, path] of [
    ['Service', 'metadata.finalizers[=service.k8s.aws/resources]'],
    ['Deployment', 'metadata.finalizers[=x/y]'],
    ['Deployment', 'spec.template.metadata.annotations[kubectl.kubernetes.io/restartedAt]'],
    ['Deployment', 'metadata.annotations[deployment.kubernetes.io/revision]'],
    ['ServiceAccount', 'imagePullSecrets'],
    ['ServiceAccount', 'secrets[name=api-dockercfg]'],
    ['Service', 'spec.clusterIP'],
    ['Service', 'spec.ports[port=80].nodePort'],
    ['Service', 'status.loadBalancer.ingress'],
    ['MutatingWebhookConfiguration', 'webhooks[name=w].clientConfig.caBundle'],
  ] as const)
    test(`${kind} ${path}`, () => {
      for (const manager of ['kubectl-edit', 'kubectl-rollout', 'controller', 'openshift-controller-manager', 'helm'])
        assert.deepEqual(drifted(kind, entry(manager, [path])), [], manager);
    });
});

describe('an addition that is drift by hand, and stays where a controller made it', () => {
  for (const [kind, path, found = path] of [
    ['Deployment', 'metadata.labels.team'],
    ['Deployment', 'metadata.annotations.note'],
    ['Deployment', 'spec.paused'],
    ['Deployment', 'spec.template.metadata.labels.b'],
    ['Deployment', 'spec.template.metadata.annotations.note'],
    ['Deployment', 'spec.template.spec.containers[name=app].env[name=B]'],
    // A sidecar that is injected.
    ['Deployment', 'spec.template.spec.containers[name=proxy].image', 'spec.template.spec.containers[name=proxy]'],
    ['Secret', 'data[tls.key]'],
    // A ConfigMap that is made for a controller to fill.
    ['Empty', 'data[ca.crt]'],
  ] as const)
    test(`${kind} ${path}`, () => {
      assert.deepEqual(drifted(kind, entry('kubectl-edit', [path])), [found]);
      assert.deepEqual(drifted(kind, entry('some-operator', [path])), []);
      assert.deepEqual(drifted(kind, entry('kube-controller-manager', [path])), []);
    });
});

describe('an addition that is drift, whoever made it', () => {
  for (const [kind, path] of [
    ['ConfigMap', 'data.more'],
    ['Role', 'rules'],
    ['NetworkPolicy', 'spec.egress'],
  ] as const)
    test(`${kind} ${path}`, () => {
      for (const manager of ['kubectl-edit', 'some-operator'])
        assert.deepEqual(drifted(kind, entry(manager, [path])), [path], manager);
    });
});

test('of what somebody added together, only what is not theirs to keep is told', () => {
  const by = entry('kubectl-edit', [
    'spec.template.metadata.annotations[kubectl.kubernetes.io/restartedAt]',
    'spec.template.metadata.annotations.note',
  ]);
  assert.deepEqual(drifted('Deployment', by), ['spec.template.metadata.annotations.note']);
});

describe('a map that counts as one field', () => {
  const suspects = (manager: string): string[] => {
    const live = { ...LIVE['Service'], metadata: { managedFields: [entry(manager, ['spec.selector'])] } };
    return replacedWholes(APPLIED['Service']!, live, []).map(({ path }) => pathText(path));
  };

  test('is another one with a key more, whoever added it', () => {
    assert.deepEqual(suspects('kubectl-edit'), ['spec.selector']);
    assert.deepEqual(suspects('some-operator'), ['spec.selector']);
    assert.deepEqual(suspects('helm'), ['spec.selector'], 'a webhook');
  });

  test('is not suspected where nobody else owns it, or its change is told already', () => {
    assert.deepEqual(replacedWholes(APPLIED['Service']!, LIVE['Service'], []), []);
    const live = {
      spec: { selector: { a: '2', b: '1' } },
      metadata: { managedFields: [entry('kubectl-edit', ['spec.selector'])] },
    };
    assert.deepEqual(replacedWholes(APPLIED['Service']!, live, differences(APPLIED['Service'], live)), []);
  });
});

test("of finalizers only ours that are gone are a difference: others' stand beside them", () => {
  const was = { metadata: { finalizers: ['ours'] } };
  const of = (finalizers: string[]): string[] =>
    differences(was, { metadata: { finalizers } }).map(({ path }) => pathText(path));
  assert.deepEqual(of(['theirs', 'ours']), []);
  assert.deepEqual(of(['theirs']), ['metadata.finalizers[=ours]']);
});

describe('whether somebody made an object', () => {
  const made = (kind: string, ...by: ManagedEntry[]): boolean =>
    isMadeByOthers(kind, { metadata: { managedFields: by } });
  const controller = entry('kube-controller-manager', ['metadata.labels.app', 'spec.resources']);

  test('a claim of a StatefulSet is nobody’s, with a finalizer, a label, or enlarged by hand', () => {
    for (const by of [
      entry('snapshot-controller', ['metadata.finalizers[=snapshot.storage.kubernetes.io/pvc-as-source-protection]']),
      entry('velero-server', ['metadata.labels[velero.io/volume]']),
      entry('kubectl-edit', ['spec.resources.requests.storage']),
    ])
      assert.equal(made('PersistentVolumeClaim', controller, by), false, by.manager);
  });

  test('what people and operators make is theirs', () => {
    assert.equal(
      made(
        'Deployment',
        entry('kubectl-create', ['spec.replicas']),
        entry(
          'kube-controller-manager',
          ['status.replicas', 'metadata.annotations[deployment.kubernetes.io/revision]'],
          { subresource: 'status' },
        ),
      ),
      true,
    );
    assert.equal(made('ConfigMap', entry('kubectl-create', ['data.a'])), true);
    assert.equal(made('ServiceAccount', entry('kubectl-create', ['metadata.labels.a'])), true);
  });
});
