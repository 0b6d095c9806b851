import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isKept, manifestObjects, ownerOf } from '../../../src/plan/diff/manifest.ts';
import { asHelmApplies } from '../../../src/plan/inputs/helm-marks.ts';
import { immutableFields, objectFields, pairRenamed } from '../../../src/plan/diff/objects.ts';
import { fingerprint } from '../../../src/plan/diff/sensitive.ts';

const secret = (value: string): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's' },
  data: { password: Buffer.from(value).toString('base64') },
});

describe('fields of an object', () => {
  test('noise of server and controllers is left out', () => {
    const before = {
      kind: 'Deployment',
      metadata: {
        name: 'a',
        uid: '1',
        resourceVersion: '5',
        generation: 2,
        managedFields: [{ manager: 'helm' }],
        creationTimestamp: 'x',
        annotations: { 'deployment.kubernetes.io/revision': '3' },
      },
      status: { replicas: 1 },
    };
    const after = {
      kind: 'Deployment',
      metadata: { name: 'a', uid: '1', resourceVersion: '6', generation: 3, managedFields: [], creationTimestamp: 'x' },
      status: {},
    };
    assert.deepEqual(objectFields(before, after), []);
  });

  test('of a Job what its controller gives to each is left out', () => {
    const job = (uid: string, image: string): Record<string, unknown> => ({
      kind: 'Job',
      metadata: { name: `j-${uid}` },
      spec: {
        selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
        template: {
          metadata: { labels: { app: 'j', 'controller-uid': uid, 'job-name': uid } },
          spec: { containers: [{ name: 'm', image }] },
        },
      },
    });
    assert.deepEqual(
      objectFields(job('1', 'x:1'), job('2', 'x:2')).map(({ path }) => path),
      ['metadata.name', 'spec.template.spec.containers[name=m].image'],
    );
  });

  test('a Secret shows that it differs, never its value', () => {
    const [change, ...more] = objectFields(secret('correct horse'), secret('battery staple'));
    assert.equal(more.length, 0);
    assert.equal(change?.path, 'data.password');
    assert.match(change.from ?? '', /^\(hidden, fingerprint [0-9a-f]{8}\)$/);
    assert.notEqual(change.from, change.to);
    assert.deepEqual(objectFields(secret('the same'), secret('the same')), []);
    assert.doesNotMatch(JSON.stringify(change), /Y29ycmVjdCBob3JzZQ|correct horse/);
  });

  test('a Secret that kubectl applied keeps no copy in its annotation', () => {
    const annotated = {
      ...secret('a'),
      metadata: {
        name: 's',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"password":"hunter2hunter2"}}' },
      },
    };
    assert.doesNotMatch(JSON.stringify(objectFields(annotated, secret('b'))), /hunter2/);
  });

  test('literal variables and lines that sound secret are hidden, references are not', () => {
    const pod = (value: string, from: string): Record<string, unknown> => ({
      kind: 'Deployment',
      spec: {
        env: [
          { name: 'DB_PASSWORD', value },
          { name: 'API_KEY', valueFrom: { secretKeyRef: { name: from, key: 'k' } } },
          { name: 'LEVEL', value },
        ],
      },
    });
    const fields = objectFields(pod('first', 'a'), pod('second', 'b'));
    assert.deepEqual(fields, [
      { path: 'spec.env[name=DB_PASSWORD].value', from: fingerprint('first'), to: fingerprint('second') },
      { path: 'spec.env[name=API_KEY].valueFrom.secretKeyRef.name', from: 'a', to: 'b' },
      { path: 'spec.env[name=LEVEL].value', from: 'first', to: 'second' },
    ]);
    const map = (secretValue: string): Record<string, unknown> => ({
      kind: 'ConfigMap',
      data: { 'app.conf': `level=1\npassword = "${secretValue}"\nport=2`, TOKEN: secretValue },
    });
    assert.doesNotMatch(
      JSON.stringify(objectFields(map('hunter2hunter2'), map('swordfish-swordfish'))),
      /hunter2|swordfish/,
    );
    assert.equal(objectFields(map('hunter2hunter2'), map('swordfish-swordfish')).length, 2);
    const url = (password: string): Record<string, unknown> => ({
      kind: 'Deployment',
      spec: { env: [{ name: 'DATABASE_URL', value: `postgres://admin:${password}@db:5432/a` }] },
    });
    assert.deepEqual(
      objectFields(url('hunter2'), url('swordfish')).map(({ to }) => to),
      [`postgres://admin:${fingerprint('swordfish')}@db:5432/a`],
    );
  });
});

describe('fields that cannot be changed', () => {
  const fields = [
    { path: 'spec.volumeClaimTemplates[name=data].spec.resources.requests.storage', from: '1Gi', to: '2Gi' },
    { path: 'spec.template.spec.x', from: '1', to: '2' },
  ];
  test('are what the server names', () => {
    assert.deepEqual(
      immutableFields([{ field: 'spec.selector', message: 'Invalid value: {}: field is immutable' }], []),
      ['spec.selector'],
    );
  });
  test('of a StatefulSet are all that it does not list', () => {
    const message =
      "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy' are forbidden";
    assert.deepEqual(immutableFields([{ field: 'spec', message }], fields), [fields[0]?.path]);
  });
  test('are none where the refusal is about something else', () => {
    assert.equal(
      immutableFields([{ field: 'spec.replicas', message: 'must be greater than or equal to 0' }], fields),
      undefined,
    );
  });
});

describe('names with a digest', () => {
  const object = (kind: string, name: string): { kind: string; name: string; namespace: string } => ({
    kind,
    name,
    namespace: 'n',
  });
  test('pair the old with the new', () => {
    const gone = [
      object('Job', 'migrate-0a1b2c3d'),
      object('ConfigMap', 'migrate-0a1b2c3d-sql'),
      object('Service', 'api'),
    ];
    const made = [
      object('ConfigMap', 'migrate-ffff0000-sql'),
      object('Job', 'migrate-ffff0000'),
      object('Job', 'other-ffff0000'),
      object('Service', 'web'),
    ];
    assert.deepEqual(
      pairRenamed(gone, made).map(({ before, after }) => [before.name, after.name]),
      [
        ['migrate-0a1b2c3d-sql', 'migrate-ffff0000-sql'],
        ['migrate-0a1b2c3d', 'migrate-ffff0000'],
      ],
    );
  });
});

describe('a manifest', () => {
  test('gives objects, definitions of the crds folder told apart', () => {
    const text =
      '---\n# Source: a/crds/x.yaml\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: one}\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: two}\n---\n# Source: a/templates/x.yaml\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: three}\n---\n# Source: a/templates/empty.yaml\n';
    assert.deepEqual(
      manifestObjects(text).map(({ name, definition }) => [name, definition]),
      [
        ['one', true],
        ['two', true],
        ['three', false],
      ],
    );
  });
  test('is refused where something is no object', () => {
    assert.throws(
      () => manifestObjects('---\n# Source: a/templates/x.yaml\nkind: Thing\n'),
      /a\/templates\/x\.yaml is no Kubernetes object/,
    );
  });
  test('is applied with the marks of its release', () => {
    const marked = asHelmApplies(
      { kind: 'Service', metadata: { name: 'x', labels: { a: 'b' } } },
      { name: 'r', namespace: 'n' },
    );
    assert.deepEqual(ownerOf(marked), { name: 'r', namespace: 'n' });
    assert.equal(ownerOf({ metadata: { name: 'x' } }), undefined);
    assert.equal(isKept({ metadata: { annotations: { 'helm.sh/resource-policy': 'keep' } } }), true);
  });
});
