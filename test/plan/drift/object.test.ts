import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestOf } from '../../../src/plan/digest.ts';
import { confirmed, differences } from '../../../src/plan/drift/compare.ts';
import { extraFields } from '../../../src/plan/fields/managed.ts';
import { ignoreRules } from '../../../src/plan/drift/ignore.ts';
import { type AppliedObject, changedObject, missingObject } from '../../../src/plan/drift/object.ts';
import { workloadFinding } from '../../../src/plan/drift/workloads.ts';
import { pathText } from '../../../src/plan/fields/path.ts';

type Json = Record<string, unknown>;
const TIME = '2026-01-02T03:04:05Z';
const applied = (object: Json, kind = 'Deployment'): AppliedObject => ({
  apiVersion: 'apps/v1',
  kind,
  namespace: 'ns',
  name: 'api',
  release: 'api',
  service: 'api',
  job: false,
  object: { apiVersion: 'apps/v1', kind, metadata: { name: 'api' }, ...object },
});
const live = (object: Json, fields: Json = {}, manager = 'kubectl-edit'): Json => ({
  metadata: {
    name: 'api',
    namespace: 'ns',
    managedFields: [{ manager, operation: 'Update', time: TIME, fieldsV1: fields }],
  },
  ...object,
});
const none = ignoreRules([], []);
const of = (was: Json, is: Json): string[] => differences(was, is).map(({ path }) => pathText(path));
const container = (more: Json): Json => ({
  spec: { template: { spec: { containers: [{ name: 'app', image: 'a:1', ...more }] } } },
});

test("a chart's empty list comes back as null, and nobody has added anything", () => {
  const entry = { manager: 'helm', operation: 'Apply', fieldsV1: { 'f:rules': {} } };
  assert.deepEqual(extraFields(entry, { rules: null }, { rules: null }), []);
  assert.deepEqual(extraFields(entry, { rules: null }, { rules: [{ verbs: ['get'] }] }).map(pathText), ['rules']);
});

describe('what was applied against what is there', () => {
  test('defaults and whatever the server adds are no difference', () => {
    assert.deepEqual(
      of(
        container({ env: [], ports: [{ containerPort: 80 }], stdin: false }),
        container({ terminationMessagePath: '/dev/x', ports: [{ containerPort: 80, protocol: 'TCP' }] }),
      ),
      [],
    );
    assert.deepEqual(
      of({ metadata: { labels: {} }, spec: { a: '', b: null, c: 0 } }, { metadata: {}, spec: {}, status: { x: 1 } }),
      [],
    );
  });

  test('quantities are compared as numbers, where quantities stand', () => {
    const limits = (cpu: string, memory: string): Json => container({ resources: { limits: { cpu, memory } } });
    assert.deepEqual(of(limits('0.5', '1024Mi'), limits('500m', '1Gi')), []);
    assert.deepEqual(of(limits('0.5', '1Gi'), limits('600m', '1Gi')), [
      'spec.template.spec.containers[name=app].resources.limits.cpu',
    ]);
    assert.deepEqual(of({ data: { a: '0.5' } }, { data: { a: '500m' } }), ['data.a']);
  });

  test('entries of a list are found wherever they stand; one that is gone is one difference', () => {
    const two = [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ];
    assert.deepEqual(of(container({ env: two }), container({ env: two.toReversed() })), []);
    assert.deepEqual(of(container({ env: two }), container({ env: [{ name: 'B', value: '3' }] })), [
      'spec.template.spec.containers[name=app].env[name=A]',
      'spec.template.spec.containers[name=app].env[name=B].value',
    ]);
  });

  test('a list without keys counts as a whole', () => {
    assert.deepEqual(of({ rules: [{ verbs: ['get'] }] }, { rules: [{ verbs: ['get'] }, { verbs: ['*'] }] }), ['rules']);
    assert.deepEqual(of(container({ args: ['a', 'b'] }), container({ args: ['b', 'a'] })), [
      'spec.template.spec.containers[name=app].args',
    ]);
  });

  test('a trial apply decides: what it would leave is no difference, and it says what was', () => {
    const found = differences({ spec: { a: 'x', b: '1h' } }, { spec: { a: 'y', b: '60m' } });
    const left = confirmed(found, { spec: { a: 'x', b: '60m' } }, { spec: { a: 'y', b: '60m' } });
    assert.deepEqual(
      left.map(({ path, was, is }) => [pathText(path), was, is]),
      [['spec.a', 'x', 'y']],
    );
  });
});

test('pods on a node that is lost are found, with what they say, and no more once they run elsewhere', () => {
  const status = (ready: number): Json => ({
    metadata: { name: 'api', generation: 2 },
    spec: { replicas: 2 },
    status: {
      observedGeneration: 2,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: ready,
      availableReplicas: ready,
      unavailableReplicas: 2 - ready,
    },
  });
  const trouble = 'pod api-1: NodeNotReady (its node does not answer)';
  const found = workloadFinding(applied({}), status(1), false, [trouble]);
  assert.deepEqual([found?.kind, found?.repair], ['unhealthy', undefined]);
  assert.match(found?.is ?? '', /^1\/2 replicas available; .*NodeNotReady/);
  assert.equal(workloadFinding(applied({}), status(2), false, []), undefined);
});

describe('findings of one object', () => {
  const judge = (object: AppliedObject, now: Json, ignore = none): ReturnType<typeof changedObject> =>
    changedObject(object, now, differences(object.object, now), ignore);

  test('a changed field, with who and when', () => {
    const { findings } = judge(
      applied({ spec: { replicas: 1 } }),
      live({ spec: { replicas: 3 } }, { 'f:spec': { 'f:replicas': {} } }, 'kubectl'),
    );
    assert.deepEqual(
      findings.map(({ valueDigest: _digest, ...rest }) => rest),
      [
        {
          key: 'kubernetes/Deployment/ns/api#spec.replicas',
          kind: 'changed',
          area: 'kubernetes',
          object: 'Deployment ns/api',
          field: 'spec.replicas',
          release: 'api',
          service: 'api',
          was: '1',
          is: '3',
          by: 'kubectl',
          at: TIME,
          repair: 'release',
        },
      ],
    );
  });

  test('what somebody added: list entries as a whole, labels one by one', () => {
    const fields = {
      'f:metadata': {
        'f:labels': { '.': {}, 'f:a': {}, 'f:b': {} },
        'f:annotations': { 'f:deployment.kubernetes.io/revision': {} },
      },
      'f:spec': {
        'f:template': {
          'f:spec': { 'f:containers': { 'k:{"name":"side"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
        },
      },
    };
    const now = { ...live(container({}), fields) };
    (now['metadata'] as Json)['labels'] = { a: '1', b: '2' };
    (now['spec'] as { template: { spec: { containers: Json[] } } }).template.spec.containers.push({
      name: 'side',
      image: 'x',
    });
    const { findings } = judge(applied(container({})), now);
    assert.deepEqual(
      findings.map(({ kind, field, repair }) => [kind, field, repair]),
      [
        ['extra', 'metadata.labels.a', 'field'],
        ['extra', 'metadata.labels.b', 'field'],
        ['extra', 'spec.template.spec.containers[name=side]', 'field'],
      ],
    );
  });

  test('what Kubernetes itself writes is no drift', () => {
    for (const manager of ['kube-controller-manager', 'kube-apiserver', 'kwok', 'kubelet', 'ananta-deploy']) {
      assert.deepEqual(
        judge(applied({ spec: {} }), live({ spec: { x: 1 } }, { 'f:spec': { 'f:x': {} } }, manager)).findings,
        [],
        manager,
      );
    }
  });

  test('the acceptance digest follows the value', () => {
    const digest = (replicas: number): string | undefined =>
      judge(applied({ spec: { replicas: 1 } }), live({ spec: { replicas } })).findings[0]?.valueDigest;
    assert.equal(digest(3), digest(3));
    assert.notEqual(digest(3), digest(4));
  });

  test('secret values are never told', () => {
    const env = {
      'f:spec': {
        'f:template': {
          'f:spec': {
            'f:containers': {
              'k:{"name":"app"}': { 'f:env': { 'k:{"name":"DB_PASSWORD"}': { '.': {}, 'f:name': {}, 'f:value': {} } } },
            },
          },
        },
      },
    };
    const told = [
      judge(applied({ data: { key: 'aHVudGVyMg==' } }, 'Secret'), live({ data: { key: 'b3RoZXI=' } })),
      judge(applied(container({})), live(container({ env: [{ name: 'DB_PASSWORD', value: 'hunter2' }] }), env)),
      judge(
        applied({ data: { 'app.yaml': 'user: a\npassword: hunter2\n' } }, 'ConfigMap'),
        live({ data: { 'app.yaml': 'user: a\npassword: hunter3\n' } }),
      ),
    ];
    assert.deepEqual(
      told.map(({ findings }) => findings.length),
      [1, 1, 1],
    );
    assert.doesNotMatch(JSON.stringify(told), /hunter|aHVudGVyMg|b3RoZXI/);
    assert.match(JSON.stringify(told), /fingerprint [0-9a-f]{8}/);
  });

  test('nor can they be guessed from what an acceptance is bound to, or read in an address', () => {
    const digest = (findings: readonly { valueDigest: string }[]): string[] =>
      findings.map(({ valueDigest }) => valueDigest);
    const ofSecret = (value: string): string[] =>
      digest(judge(applied({ data: { key: 'YQ==' } }, 'Secret'), live({ data: { key: value } })).findings);
    assert.notDeepEqual(ofSecret('b3RoZXI='), ofSecret('YW5vdGhlcg=='));
    assert.notDeepEqual(ofSecret('b3RoZXI='), [digestOf(['b3RoZXI='])]);
    const address = judge(
      applied(container({ env: [{ name: 'DATABASE_URL', value: 'postgres://db:5432/a' }] })),
      live(container({ env: [{ name: 'DATABASE_URL', value: 'postgres://admin:hunter2@db:5432/a' }] })),
    );
    assert.match(address.findings[0]?.is ?? '', /^postgres:\/\/admin:\(hidden, fingerprint [0-9a-f]{8}\)@db:5432\/a$/);
  });

  test("ignore rules: an autoscaler's replicas, injected authorities, the environment's own", () => {
    const autoscaler = { metadata: { namespace: 'ns' }, spec: { scaleTargetRef: { kind: 'Deployment', name: 'api' } } };
    const scaled = live({ spec: { replicas: 3 } });
    assert.deepEqual(judge(applied({ spec: { replicas: 1 } }), scaled, ignoreRules([], [autoscaler])), {
      findings: [],
      ignored: 1,
    });
    assert.deepEqual(
      judge(
        applied({ spec: { replicas: 1 } }),
        scaled,
        ignoreRules([{ kind: 'Deployment', field: 'spec.replicas', reason: 'ours' }], []),
      ),
      { findings: [], ignored: 1 },
    );
    assert.equal(
      judge(applied({ spec: { replicas: 1 } }), scaled, ignoreRules([{ name: 'other', reason: 'ours' }], [])).findings
        .length,
      1,
    );
    const hook = { webhooks: [{ name: 'w', clientConfig: { caBundle: 'old' } }] };
    assert.equal(
      judge(applied(hook), live({ webhooks: [{ name: 'w', clientConfig: { caBundle: 'new' } }] })).ignored,
      1,
    );
  });

  test('gone, being deleted, and a Job that goes by itself', () => {
    assert.deepEqual(
      missingObject(applied({}), none).findings.map(({ kind, repair }) => [kind, repair]),
      [['missing', 'release']],
    );
    assert.deepEqual(
      missingObject(applied({}, 'Job'), none).findings.map(({ area, repair }) => [area, repair]),
      [['job', 'job']],
    );
    assert.deepEqual(missingObject(applied({ spec: { ttlSecondsAfterFinished: 60 } }, 'Job'), none).findings, []);
    assert.deepEqual(missingObject({ ...applied({}, 'Job'), job: true, receipt: true }, none).findings, []);
    const { findings } = judge(applied({}), {
      metadata: { name: 'api', deletionTimestamp: TIME, finalizers: ['x/y'] },
    });
    assert.deepEqual(
      findings.map(({ kind, repair, note }) => [kind, repair, note]),
      [['missing', undefined, 'it is being deleted, held by x/y']],
    );
  });
});
