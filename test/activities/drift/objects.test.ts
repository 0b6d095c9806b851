/**
 * What cannot be read is distinguished from what is missing; what cannot be repaired keeps nothing else from repair.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { findObjectDrift } from '../../../src/effects/drift/objects.ts';
import { createActivities } from '../../../src/activities/index.ts';
import {
  type JsonPatchOperation,
  type Kind,
  KubernetesError,
  type KubernetesObject,
} from '../../../src/clients/kubernetes/index.ts';
import type { DriftFinding } from '../../../src/contract/drift.ts';
import { valueDigest } from '../../../src/plan/drift/text.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { helmRecord, ourLabels } from '../../support/fakes/helm-record.ts';
import { testScope } from '../../support/scope.ts';

const signal = new AbortController().signal;
const NAMESPACE = 'stores';
const RELEASE = 'cache';
const kind = (group: string, name: string, plural: string): Kind => ({
  group,
  version: 'v1',
  kind: name,
  plural,
  namespaced: true,
  verbs: ['get', 'list', 'patch'],
});
const KINDS = [kind('', 'Secret', 'secrets'), kind('', 'ConfigMap', 'configmaps')];
const pathOf = (plural: string, name: string): string => `/api/v1/namespaces/${NAMESPACE}/${plural}/${name}`;
const MARKS = {
  labels: { 'app.kubernetes.io/managed-by': 'Helm' },
  annotations: { 'meta.helm.sh/release-name': RELEASE, 'meta.helm.sh/release-namespace': NAMESPACE },
};
const object = (name: string, more: Record<string, unknown>): KubernetesObject => ({
  metadata: { name, namespace: NAMESPACE, uid: name, resourceVersion: '1', ...MARKS },
  ...more,
});

/** A release with a Secret and a ConfigMap, as Helm recorded it and as it is. */
async function withRelease(work: (parts: FakeParts) => Promise<void>): Promise<void> {
  await withFakeClients(async (parts) => {
    const {
      clients: { kubernetes },
      cluster,
    } = parts;
    const manifest = `apiVersion: v1\nkind: Secret\nmetadata: {name: own}\ndata: {a: YQ==}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n`;
    const stored = {
      name: RELEASE,
      namespace: NAMESPACE,
      version: 1,
      manifest,
      config: null,
      hooks: null,
      info: { status: 'deployed' },
      chart: { metadata: { name: 'service', version: '1' } },
    };
    const record = pathOf('secrets', `sh.helm.release.v1.${RELEASE}.v1`);
    cluster.objects.set(
      record,
      object(record.split('/').at(-1)!, {
        data: { release: Buffer.from(gzipSync(JSON.stringify(stored)).toString('base64')).toString('base64') },
      }),
    );
    cluster.objects.get(record)!.metadata.labels = {
      owner: 'helm',
      name: RELEASE,
      version: '1',
      status: 'deployed',
      'ananta-environment': 'sandbox',
      'ananta-run': 'r',
      'ananta-digest': 'd',
    };
    cluster.objects.set(pathOf('secrets', 'own'), object('own', { data: { a: 'YQ==' } }));
    cluster.objects.set(pathOf('configmaps', 'settings'), object('settings', { data: { a: 'b' } }));
    kubernetes.kinds = () => Promise.resolve({ kinds: KINDS, silent: [] });
    const { list } = kubernetes;
    kubernetes.list = async (path, query, from) => {
      if (query?.labelSelector?.startsWith('owner=helm'))
        return { metadata: { resourceVersion: '1' }, items: [cluster.objects.get(record)!] };
      const plural = /^\/api\/v1\/(secrets|configmaps)$/.exec(path)?.[1];
      return plural === undefined
        ? list(path, query, from)
        : {
            metadata: { resourceVersion: '1' },
            items: [...cluster.objects].filter(([key]) => key.includes(`/${plural}/`)).map(([, value]) => value),
          };
    };
    await work(parts);
  });
}

const find = async ({ clients }: FakeParts): Promise<string[]> => {
  const { findings } = await findObjectDrift(clients, clients.environment, signal);
  return findings
    .filter(({ area, object: what }) => area === 'kubernetes' && / stores\/(own|settings)$/.test(what))
    .map(({ kind: of, object: what, field, repair }) =>
      [of, what, ...(field === undefined ? [] : [field]), repair ?? 'a person'].join(' '),
    )
    .sort();
};

describe('drift of one release', () => {
  test('as it was applied: nothing; gone and changed are told', () =>
    withRelease(async (parts) => {
      assert.deepEqual(await find(parts), []);
      parts.cluster.objects.delete(pathOf('secrets', 'own'));
      parts.cluster.objects.set(pathOf('configmaps', 'settings'), object('settings', { data: { a: 'other' } }));
      assert.deepEqual(await find(parts), [
        'changed ConfigMap stores/settings data.a release',
        'missing Secret stores/own release',
      ]);
    }));

  for (const [why, error] of [
    ['may not be read', new KubernetesError('GET x', 403, 'Forbidden', 'secrets "own" is forbidden')],
    ['does not come', new KubernetesError('GET x', 504, 'Timeout', 'took too long')],
  ] as const) {
    test(`one object that ${why} is not observable, and all others are judged`, () =>
      withRelease(async (parts) => {
        const { get } = parts.clients.kubernetes;
        parts.clients.kubernetes.get = (path, from) =>
          path === pathOf('secrets', 'own') ? Promise.reject(error) : get(path, from);
        parts.cluster.objects.set(pathOf('configmaps', 'settings'), object('settings', { data: { a: 'other' } }));
        assert.deepEqual(await find(parts), [
          'changed ConfigMap stores/settings data.a release',
          'not-observable Secret stores/own a person',
        ]);
      }));
  }
});

describe('fields that somebody has added', () => {
  const extra = (name: string, field: string, digest: string): DriftFinding => ({
    key: name,
    kind: 'extra',
    area: 'kubernetes',
    object: `ConfigMap ${NAMESPACE}/${name}`,
    field,
    valueDigest: digest,
    repair: 'field',
  });
  const written = (name: string): KubernetesObject => {
    const live = object(name, { data: { added: 'x' } });
    live.metadata['managedFields'] = [
      { manager: 'kubectl-edit', operation: 'Update', fieldsV1: { 'f:data': { 'f:added': {} } } },
    ];
    return live;
  };

  test('one that the API server does not let go is said, and the others are taken out all the same', () =>
    withRelease(async (parts) => {
      const {
        clients: { kubernetes },
        cluster,
        run,
      } = parts;
      for (const name of ['one', 'two']) cluster.objects.set(pathOf('configmaps', name), written(name));
      const patched: [string, readonly JsonPatchOperation[]][] = [];
      kubernetes.patch = (path, operations) => {
        if (path.endsWith('/one'))
          return Promise.reject(new KubernetesError(`PATCH ${path}`, 403, 'Forbidden', 'a webhook says no'));
        patched.push([path, operations]);
        return Promise.resolve(cluster.objects.get(path)!);
      };
      const digest = valueDigest('ConfigMap', ['data', 'added'], 'x');
      const { repaired, refused } = await createActivities(parts.clients, () => testScope()).repairFindings({
        run,
        findings: [extra('one', 'data.added', digest), extra('two', 'data.added', digest)],
      });
      assert.deepEqual(repaired, ['two']);
      assert.match(refused?.join() ?? '', /^ConfigMap stores\/one could not be repaired: .*403 a webhook says no$/);
      assert.deepEqual(
        patched.map(([path, operations]) => [
          path.split('/').at(-1),
          operations.filter(({ op }) => op === 'remove').map(({ path: at }) => at),
        ]),
        [['two', ['/data/added']]],
      );
    }));

  test('what has been changed again since it was found is left alone', () =>
    withRelease(async (parts) => {
      parts.cluster.objects.set(pathOf('configmaps', 'one'), written('one'));
      const { repaired, refused } = await createActivities(parts.clients, () => testScope()).repairFindings({
        run: parts.run,
        findings: [extra('one', 'data.added', 'of another value')],
      });
      assert.deepEqual([repaired, refused], [[], undefined]);
    }));

  test('a finalizer is never taken out, whatever a finding says', () =>
    withRelease(async (parts) => {
      const live = object('one', { data: { a: 'b' } });
      live.metadata['finalizers'] = ['x/y'];
      live.metadata['managedFields'] = [
        {
          manager: 'kubectl-edit',
          operation: 'Update',
          fieldsV1: { 'f:metadata': { 'f:finalizers': { '.': {}, 'v:"x/y"': {} } } },
        },
      ];
      parts.cluster.objects.set(pathOf('configmaps', 'one'), live);
      parts.clients.kubernetes.patch = () => Promise.reject(new Error('nothing may be patched'));
      for (const field of ['metadata.finalizers', 'metadata.finalizers[=x/y]', 'metadata'])
        await createActivities(parts.clients, () => testScope()).repairFindings({
          run: parts.run,
          findings: [extra('one', field, valueDigest('ConfigMap', ['metadata', 'finalizers'], ['x/y']))],
        });
      assert.deepEqual(parts.cluster.objects.get(pathOf('configmaps', 'one'))?.metadata['finalizers'], ['x/y']);
    }));
});

test('a claim to which somebody writes is no finding where it is ours, and never one to delete', () =>
  withFakeClients(async ({ clients, cluster }) => {
    const claims: Kind = { ...kind('', 'PersistentVolumeClaim', 'persistentvolumeclaims') };
    clients.kubernetes.kinds = () => Promise.resolve({ kinds: [claims], silent: [] });
    const manifest =
      'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: store}\nspec: {volumeClaimTemplates: [{metadata: {name: data}}]}\n';
    cluster.objects.set(
      ...helmRecord({
        namespace: NAMESPACE,
        release: RELEASE,
        revision: 1,
        chart: 'redis',
        manifest,
        labels: ourLabels('r', 'd'),
      }),
    );
    const claim = (name: string, labels: Record<string, string> = {}): void => {
      cluster.objects.set(`/api/v1/persistentvolumeclaims/${name}`, {
        metadata: {
          name,
          namespace: NAMESPACE,
          uid: name,
          resourceVersion: '1',
          labels,
          finalizers: ['snapshot.storage.kubernetes.io/pvc-as-source-protection'],
          managedFields: [
            { manager: 'backup-tool', operation: 'Update', fieldsV1: { 'f:spec': { 'f:resources': {} } } },
          ],
        },
        status: { phase: 'Bound' },
      });
    };
    claim('data-store-0');
    claim('named', { 'app.kubernetes.io/instance': RELEASE });
    claim('somebody');
    const { findings } = await findObjectDrift(clients, clients.environment, signal);
    const told = findings.filter(({ object: what }) => what.startsWith('PersistentVolumeClaim'));
    assert.deepEqual(
      told.map(({ kind: of, object: what }) => [of, what]),
      [['extra', `PersistentVolumeClaim ${NAMESPACE}/somebody`]],
    );
    assert.doesNotMatch(told[0]?.note ?? '', /delete/);
  }));
