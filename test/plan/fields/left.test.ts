/** Fields that an autoscaler or a lease decides: left out of what is applied, and kept as they are in comparisons. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ignoreRules } from '../../../src/plan/drift/ignore.ts';
import { withoutClaims } from '../../../src/plan/fields/claims.ts';
import { conflictsOf, decideConflicts } from '../../../src/plan/fields/conflicts.ts';
import { applierLabel, formerApplier } from '../../../src/plan/ownership/foreign.ts';
import {
  autoscaledFields,
  leasedFields,
  leftLabel,
  leftOf,
  type LeftField,
  markOf,
  marksOf,
  placesOf,
  withLiveFields,
  withoutLeftFields,
} from '../../../src/plan/fields/left.ts';
import { pathText } from '../../../src/plan/fields/path.ts';
import { kubernetesDocuments } from '../../../src/plan/inputs/kubernetes-yaml.ts';

const autoscaler = (more: object = {}): object => ({
  metadata: { name: 'api', namespace: 'ns', ...more },
  spec: { scaleTargetRef: { kind: 'Deployment', name: 'api' } },
});
const replicas: LeftField = {
  kind: 'Deployment',
  namespace: 'ns',
  name: 'api',
  field: 'spec.replicas',
  owner: 'HorizontalPodAutoscaler ns/api',
};

const MANIFEST = `---
# Source: service/templates/release.yaml
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {ports: [{port: 80}]}   # as it was written
---
# Source: service/templates/release.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  annotations: {flag: "on", mode: "0400"}
spec:
  replicas: 1
  template:
    spec:
      containers:
        - {name: app, image: a, env: [{name: A, value: "1"}, {name: B, value: "yes"}]}
        - {name: side, image: b}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: elsewhere}
spec: {replicas: 1}
`;
interface Rendered {
  metadata: { annotations?: Record<string, string> };
  spec: {
    replicas?: number;
    template: { spec: { containers: { image?: string; env?: { name: string; value: string }[] }[] } };
  };
}
const objects = (text: string): Rendered[] =>
  kubernetesDocuments(text).flatMap((document) => (document.toJS() as Rendered | null) ?? []);

describe('replicas under an autoscaler', () => {
  test('are its own as long as it is there', () => {
    assert.deepEqual(autoscaledFields([autoscaler()]), [replicas]);
    assert.deepEqual(autoscaledFields([autoscaler({ deletionTimestamp: 'now' }), {}, { metadata: {} }]), []);
  });

  test('of KEDA too, which makes an autoscaler of that kind', () => {
    const made = {
      metadata: { name: 'keda-hpa-api', namespace: 'ns', ownerReferences: [{ kind: 'ScaledObject' }] },
      spec: { scaleTargetRef: { kind: 'StatefulSet', name: 'db' } },
    };
    assert.deepEqual(
      autoscaledFields([made]).map(({ kind, name }) => `${kind} ${name}`),
      ['StatefulSet db'],
    );
  });
});

describe('a manifest without what is left', () => {
  test('loses the field of that object in that namespace, and nothing else', () => {
    const left = withoutLeftFields(MANIFEST, [replicas], 'ns');
    const [, deployment, other] = objects(left);
    assert.deepEqual(deployment?.spec.replicas, undefined);
    assert.deepEqual(deployment?.metadata.annotations, { flag: 'on', mode: '0400' });
    assert.equal(deployment?.spec.template.spec.containers[0]?.env?.[1]?.value, 'yes');
    assert.equal(other?.spec.replicas, 1);
    assert.ok(left.startsWith(MANIFEST.slice(0, MANIFEST.indexOf('---', 5))), 'the Service is as it was written');
    assert.match(
      left,
      /^# Source: service\/templates\/release\.yaml\n"apiVersion|^# Source: service\/templates\/release\.yaml\napiVersion: apps/m,
    );
  });

  test('entries of lists go by their keys or all of them', () => {
    const lease = (path: string): LeftField[] => leasedFields([{ kind: 'Deployment', name: 'api', path, owner: 'x' }]);
    const envOf = (path: string): unknown[] | undefined =>
      objects(withoutLeftFields(MANIFEST, lease(path), 'ns'))[1]?.spec.template.spec.containers.map(
        ({ image, env = [] }) => [image, ...env.map(({ name }) => name)],
      );
    assert.deepEqual(envOf('spec.template.spec.containers[name=app].env[name=A]'), [['a', 'B'], ['b']]);
    assert.deepEqual(envOf('spec.template.spec.containers[*].image'), [[undefined, 'A', 'B'], [undefined]]);
    assert.deepEqual(envOf('spec.template.spec.containers[name=app].env[*]'), [['a'], ['b']]);
    assert.equal(withoutLeftFields(MANIFEST, lease('spec.paused'), 'ns'), MANIFEST);
    assert.equal(withoutLeftFields(MANIFEST, [{ ...replicas, kind: 'StatefulSet' }], 'ns'), MANIFEST);
  });
});

test('in a comparison what is left has the live value, or is not there', () => {
  const wanted = { spec: { replicas: 1, paused: true } };
  assert.deepEqual(
    withLiveFields(wanted, { spec: { replicas: 3 } }, [replicas, { ...replicas, field: 'spec.paused' }]),
    { spec: { replicas: 3 } },
  );
  assert.deepEqual(wanted, { spec: { replicas: 1, paused: true } });
  assert.deepEqual(placesOf(wanted, 'spec.*').map(pathText), ['spec.replicas', 'spec.paused']);
});

describe('what a revision has left', () => {
  test('is remembered in a label, as far as one holds it', () => {
    const many = Array.from({ length: 20 }, (_, at) => ({ ...replicas, name: `api-${at}` }));
    assert.deepEqual(marksOf(leftLabel([replicas])), [markOf(replicas)]);
    assert.ok(leftLabel(many).length <= 63);
    assert.match(leftLabel(many), /^[0-9a-f]{6}(\.[0-9a-f]{6}){8}$/);
    assert.deepEqual([marksOf(leftLabel([])), marksOf(undefined)], [[], []]);
  });
});

describe('drift', () => {
  const rule = (leases: Parameters<typeof leasedFields>[0]): ReturnType<typeof ignoreRules> =>
    ignoreRules([], [], [...leases]);
  const subject = { kind: 'Service', namespace: 'ns', name: 'api' };

  test('does not tell a leased field, nor what is below it', () => {
    const ignore = rule([{ kind: 'Service', name: 'api', path: 'metadata.annotations', owner: 'external-dns' }]);
    assert.match(ignore(subject, ['metadata', 'annotations', 'a']) ?? '', /leased it to external-dns/);
    assert.match(ignore(subject, ['metadata', 'annotations']) ?? '', /external-dns/);
    assert.equal(ignore(subject, ['metadata', 'labels', 'a']), undefined);
    assert.equal(ignore({ ...subject, name: 'other' }, ['metadata', 'annotations', 'a']), undefined);
  });

  test('of another namespace is told', () => {
    const ignore = rule([{ kind: 'Service', namespace: 'elsewhere', name: 'api', path: 'spec.type', owner: 'x' }]);
    assert.equal(ignore(subject, ['spec', 'type']), undefined);
    assert.deepEqual(leftOf([replicas], { kind: 'Deployment', namespace: 'ns', name: 'api' }), [replicas]);
  });
});

describe('fields in conflict', () => {
  const object = { kind: 'Deployment', namespace: 'ns', name: 'api' };
  const said = (...causes: [field: string, message: string][]): ReturnType<typeof conflictsOf> =>
    conflictsOf(causes.map(([field, message]) => ({ field, message })));
  const decided = (field: string, message: string, formerly: string[] = []): string =>
    decideConflicts(said([field, message]), object, formerly).ours.length > 0 ? 'ours' : 'theirs';

  for (const [field, message, whose] of [
    ['.spec.replicas', 'conflict with "kubectl" with subresource "scale" using apps/v1', 'ours'],
    ['.spec.template.spec.containers[name="app"].image', 'conflict with "kubectl-set" using apps/v1', 'ours'],
    ['.spec.replicas', 'conflict with "kube-controller-manager" with subresource "scale" using apps/v1', 'ours'],
    ['.spec.replicas', 'conflict with "cron-scaler" with subresource "scale" using apps/v1', 'theirs'],
    ['.spec.template.spec.containers[name="app"].resources', 'conflict with "vpa-updater" using apps/v1', 'theirs'],
    ['.spec.template', 'conflict with "kube-controller-manager" using apps/v1', 'theirs'],
  ] as const)
    test(`${field}, ${message}: ${whose}`, () => assert.equal(decided(field, message), whose));

  test('what came with a release that was taken over is ours, and nothing else of others', () => {
    const whose = (message: string, applier?: string): string =>
      decideConflicts(said(['.spec.volumeClaimTemplates', message]), object, [], applier).ours.length > 0
        ? 'ours'
        : 'theirs';
    const terraform = 'terraform-provider-helm';
    assert.equal(whose(`conflict with "${terraform}" using apps/v1`), 'theirs');
    assert.equal(whose(`conflict with "${terraform}" using apps/v1`, terraform), 'ours');
    assert.equal(whose('conflict with "vpa-updater" using apps/v1', terraform), 'theirs');
    assert.equal(whose(`conflict with "${terraform}" with subresource "scale" using apps/v1`, terraform), 'theirs');
    assert.equal(formerApplier({ 'ananta-adopted': '1', ...applierLabel(terraform) }), terraform);
    assert.equal(formerApplier(applierLabel(terraform)), undefined);
    assert.deepEqual(applierLabel('Helm'), { 'ananta-applier': 'helm' });
    assert.deepEqual(applierLabel('no label/at all'), {});
  });

  test('what was left to a writer before, and is not any more, is ours', () => {
    assert.equal(
      decided('.spec.replicas', 'conflict with "cron-scaler" with subresource "scale"', [markOf(replicas)]),
      'ours',
    );
    const lease = { ...replicas, namespace: undefined, field: 'spec.template.spec.containers[name=app].image' };
    assert.equal(
      decided('.spec.template.spec.containers[name="app"].image', 'conflict with "keel"', [markOf(lease)]),
      'ours',
    );
  });
});

describe('claims to fields', () => {
  const live = {
    metadata: {
      managedFields: [
        {
          manager: 'helm',
          operation: 'Apply',
          fieldsV1: {
            'f:spec': {
              'f:replicas': {},
              'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:image': {} } } } },
            },
          },
        },
        { manager: 'kubectl', operation: 'Update', subresource: 'scale', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
        {
          manager: 'kubectl-set',
          operation: 'Update',
          fieldsV1: {
            'f:metadata': { 'f:labels': { 'f:a.b/c': {} } },
            'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': { 'f:image': {} } } } } },
          },
        },
      ],
    },
  };

  test('are taken off one by one; an entry that held nothing else goes, the last ones first', () => {
    assert.deepEqual(
      withoutClaims(
        live,
        ({ manager, text }) =>
          manager !== 'helm' && ['.spec.replicas', '.spec.template.spec.containers[name="app"].image'].includes(text),
      ),
      [
        {
          op: 'replace',
          path: '/metadata/managedFields/2/fieldsV1',
          value: { 'f:metadata': { 'f:labels': { 'f:a.b/c': {} } } },
        },
        { op: 'remove', path: '/metadata/managedFields/1' },
      ],
    );
  });

  test('of keys with dots are known as the API server writes them', () => {
    const texts: string[] = [];
    withoutClaims(live, ({ text }) => {
      texts.push(text);
      return false;
    });
    assert.ok(texts.includes('.metadata.labels.a.b/c'));
    assert.deepEqual(
      withoutClaims(live, () => false),
      [],
    );
  });

  test('of Helm alone are given up for what is left', () => {
    assert.deepEqual(
      withoutClaims(
        live,
        ({ manager, operation, path }) =>
          manager === 'helm' && operation === 'Apply' && pathText(path) === 'spec.replicas',
      ).map(({ path }) => path),
      ['/metadata/managedFields/0/fieldsV1'],
    );
  });
});
