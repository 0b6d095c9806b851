/** Interrupted work of others: a half uninstalled release, a damaged record, a namespace that is stuck in deletion. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findObjectDrift } from '../../../src/effects/drift/objects.ts';
import { planFor } from '../../../src/effects/plan/deploy.ts';
import { observeCluster } from '../../../src/effects/observe/cluster.ts';
import { damagedRecords } from '../../../src/effects/release/readable.ts';
import { awaitNamespacesGone, explainTerminating } from '../../../src/effects/release/removal/terminating.ts';
import { recoverUninstalling } from '../../../src/effects/release/removal/uninstalling.ts';
import { newestRevision } from '../../../src/effects/release/revisions.ts';
import { HelmError } from '../../../src/clients/helm/index.ts';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';
import { allDigests } from '../../../src/plan/inputs/release-inputs.ts';
import { type FakeParts, withFakeClients } from '../../support/fakes/clients.ts';
import { helmRecord, ourLabels, type RecordSample } from '../../support/fakes/helm-record.ts';
import { testScope } from '../../support/scope.ts';
import { unguardedActivities } from '../../../src/activities/index.ts';

const NAMESPACE = 'stores';
const RELEASE = 'cache';
const release = { namespace: NAMESPACE, name: RELEASE };
const signal = new AbortController().signal;

function put({ cluster }: FakeParts, more: Partial<RecordSample> & { revision: number }): string {
  const [path, secret] = helmRecord({
    namespace: NAMESPACE,
    release: RELEASE,
    chart: 'redis',
    labels: ourLabels('run-0', 'd'),
    ...more,
  });
  cluster.objects.set(path, secret);
  return path;
}

describe("somebody's helm uninstall that stopped in the middle", () => {
  const settle = async ({ clients: { kubernetes } }: FakeParts): Promise<string | undefined> =>
    recoverUninstalling({ kubernetes }, release, await newestRevision(kubernetes, NAMESPACE, RELEASE), signal);

  test('once it is silent only its record is removed', () =>
    withFakeClients(async (parts) => {
      put(parts, { revision: 1, status: 'superseded' });
      const path = put(parts, { revision: 2, status: 'uninstalling', ageSeconds: 60 });
      assert.match((await settle(parts)) ?? '', /helm uninstall of revision 2 had stopped in the middle .*was kept$/);
      assert.deepEqual(parts.cluster.removed, [path]);
    }));

  test('a moment ago: waited for, with how long still', () =>
    withFakeClients(async (parts) => {
      put(parts, { revision: 2, status: 'uninstalling', ageSeconds: 5 });
      await assert.rejects(settle(parts), { type: 'ReleaseBusy', message: /is uninstalling since .* in 2[45] s$/ });
      assert.deepEqual(parts.cluster.removed, []);
    }));

  test('while something that it has deleted is still going: named, and waited for longer', () =>
    withFakeClients(async (parts) => {
      put(parts, { revision: 2, status: 'uninstalling', ageSeconds: 60 });
      parts.cluster.watched.set(`Deployment/${NAMESPACE}/${RELEASE}/x`, {
        metadata: { name: 'x', uid: 'x', resourceVersion: '1', deletionTimestamp: '2026-01-01T00:00:00Z' },
      });
      await assert.rejects(settle(parts), { type: 'ReleaseBusy', message: /It has deleted x\./ });
    }));

  test('any other state: nothing to do', () =>
    withFakeClients(async (parts) => {
      put(parts, { revision: 2, status: 'deployed', ageSeconds: 600 });
      assert.equal(await settle(parts), undefined);
    }));

  test('a step goes on from the revision before', () =>
    withFakeClients(async (parts) => {
      put(parts, { revision: 1, status: 'superseded' });
      put(parts, { revision: 2, status: 'uninstalling', ageSeconds: 60, labels: ourLabels('run-0', 'e') });
      const { clients, run, cluster } = parts;
      clients.helm.rollback = ({ revision }) => {
        assert.equal(revision, 1);
        put(parts, { revision: 2, labels: ourLabels('run-0', 'd') });
        return Promise.resolve({ seconds: 0, queuedSeconds: 0 });
      };
      const { recovered } = await unguardedActivities(clients, () => testScope()).applyRelease({
        run,
        service: RELEASE,
        priority: 1,
        step: {
          kind: 'release',
          name: RELEASE,
          namespace: NAMESPACE,
          job: false,
          action: 'repair',
          reason: '',
          digest: 'd',
          toRevision: 1,
        },
      });
      assert.match(recovered ?? '', /had stopped in the middle/);
      assert.equal(cluster.removed.length, 1);
    }));
});

describe('a record of Helm that cannot be read', () => {
  const DAMAGED = {
    name: 'DamagedRecordError',
    message: /revision 3 of stores\/cache cannot be read.*delete secret sh\.helm\.release\.v1\.cache\.v3/s,
  };
  test('is refused by a plan that would upgrade it, with the way out; nothing of what it holds is said', () =>
    withFakeClients(async (parts) => {
      const { clients } = parts;
      put(parts, { revision: 3, junk: 'a password, say' });
      await assert.rejects(planFor(clients, clients.environment, {}, signal), (error: Error) => {
        assert.match(error.message, DAMAGED.message);
        assert.doesNotMatch(error.message, /a password/);
        return error.name === DAMAGED.name;
      });
    }));

  test('of what is as wanted nobody reads it', () =>
    withFakeClients(async (parts) => {
      const { clients, cluster } = parts;
      const digests = await allDigests(clients.catalog, clients.environment, {}, clients.config);
      put(parts, { revision: 3, junk: 'x', labels: ourLabels('run-0', digests.get(RELEASE) ?? '') });
      cluster.watched.set(`StatefulSet/${NAMESPACE}/${RELEASE}/x`, {
        metadata: { name: 'x', uid: 'x', resourceVersion: '1', generation: 1 },
        spec: { replicas: 0 },
        status: { observedGeneration: 1 },
      });
      assert.equal((await planFor(clients, clients.environment, {}, signal)).environment, 'sandbox');
    }));

  test('is named by history, which reads no other of them', () =>
    withFakeClients(async (parts) => {
      put(parts, { revision: 3, junk: 'x' });
      parts.cluster.objects.set(...helmRecord({ namespace: NAMESPACE, release: 'other', revision: 1 }));
      const [told, ...more] = await damagedRecords(parts.clients.kubernetes, [NAMESPACE]);
      assert.match(told ?? '', DAMAGED.message);
      assert.deepEqual([more, await damagedRecords(parts.clients.kubernetes, ['elsewhere'])], [[], []]);
    }));

  test('is refused by the step as well', () =>
    withFakeClients(async (parts) => {
      put(parts, { revision: 3, junk: 'x' });
      const step = {
        kind: 'release',
        name: RELEASE,
        namespace: NAMESPACE,
        job: false,
        action: 'repair',
        reason: '',
        digest: 'd',
        toRevision: 3,
      } as const;
      await assert.rejects(
        unguardedActivities(parts.clients, () => testScope()).applyRelease({
          run: parts.run,
          service: RELEASE,
          priority: 1,
          step,
        }),
        DAMAGED,
      );
    }));

  test('is one finding of drift; its objects are not called extra', () =>
    withFakeClients(async (parts) => {
      const { clients, cluster } = parts;
      put(parts, { revision: 3, junk: 'x', manager: 'kubectl-patch' });
      clients.kubernetes.kinds = () =>
        Promise.resolve({
          kinds: [
            { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true, verbs: ['list'] },
          ],
          silent: [],
        });
      const settings: KubernetesObject = {
        metadata: {
          name: 'settings',
          namespace: NAMESPACE,
          uid: 'u',
          resourceVersion: '1',
          annotations: { 'meta.helm.sh/release-name': RELEASE, 'meta.helm.sh/release-namespace': NAMESPACE },
          managedFields: [{ manager: 'helm', operation: 'Apply', fieldsV1: {} }],
        },
      };
      cluster.objects.set('/api/v1/configmaps/settings', settings);
      const { findings } = await findObjectDrift(clients, clients.environment, signal);
      const told = findings.filter(({ area, object }) => area === 'helm' || /settings/.test(object));
      assert.deepEqual(
        told.map(({ kind, object, repair }) => [kind, object, repair]),
        [['not-observable', `Release ${NAMESPACE}/${RELEASE}`, undefined]],
      );
      assert.match(told[0]?.note ?? '', DAMAGED.message);
    }));
});

describe('a namespace that is being deleted', () => {
  const terminating = (name: string): KubernetesObject => ({
    metadata: { name, uid: `uid-${name}`, resourceVersion: '1', deletionTimestamp: '2026-01-01T00:00:00Z', labels: {} },
  });
  const path = `/api/v1/namespaces/${NAMESPACE}`;

  test('is waited for and made anew, marked as ours', () =>
    withFakeClients(async (parts) => {
      const { clients, cluster, run } = parts;
      cluster.objects.set(path, terminating(NAMESPACE));
      setTimeout(() => cluster.objects.delete(path), 100);
      const { created } = await unguardedActivities(clients, () => testScope()).ensureNamespaces(run);
      assert.ok(created.includes(NAMESPACE));
      const made = cluster.applied.find((one) => one.path === path);
      assert.equal(
        (made?.object['metadata'] as KubernetesObject['metadata']).annotations?.['ananta.dev/created'],
        'true',
      );
      assert.equal(cluster.objects.get(path)?.metadata.deletionTimestamp, undefined);
    }));

  test('one that does not go is named with its holder and the line to run', () =>
    withFakeClients(async (parts) => {
      const { clients, cluster } = parts;
      const namespace = terminating(NAMESPACE);
      cluster.objects.set(path, namespace);
      cluster.objects.set(`${path}/configmaps/held`, {
        metadata: {
          name: 'held',
          namespace: NAMESPACE,
          uid: 'h',
          resourceVersion: '1',
          finalizers: ['example.com/hold'],
        },
      });
      clients.kubernetes.kinds = () =>
        Promise.resolve({
          kinds: [
            {
              group: '',
              version: 'v1',
              kind: 'ConfigMap',
              plural: 'configmaps',
              namespaced: true,
              verbs: ['list', 'delete'],
            },
          ],
          silent: [],
        });
      const waited = awaitNamespacesGone(clients.kubernetes, [namespace], signal, () => undefined, 0);
      await assert.rejects(waited, {
        type: 'Stuck',
        message:
          /Namespace stores is being deleted, and does not go: ConfigMap held is held by finalizer example\.com\/hold\..*kubectl -n stores patch configmap held/,
      });
      const refused = new HelmError(
        'HelmInterrupted',
        'unable to create new content in namespace stores because it is being terminated',
      );
      const explained = await explainTerminating(clients.kubernetes, NAMESPACE, refused, signal);
      assert.match(
        (explained as Error).message,
        /deleted by somebody since 2026-01-01T00:00:00Z.*example\.com\/hold.*Deploy again/,
      );
      const other = new HelmError('HelmInterrupted', 'x');
      assert.equal(await explainTerminating(clients.kubernetes, NAMESPACE, other, signal), other);
    }));

  test('everything in it is planned anew, also a release of somebody else', () =>
    withFakeClients(async (parts) => {
      const { clients, cluster } = parts;
      put(parts, { revision: 1, chart: 'podinfo', labels: {} });
      cluster.objects.set(path, terminating(NAMESPACE));
      const { foreign, terminating: going, namespaces } = await observeCluster(clients, clients.environment, signal);
      assert.deepEqual([[...(foreign ?? [])], [...(going ?? [])], namespaces.has(NAMESPACE)], [[], [NAMESPACE], false]);
      const plan = await planFor(clients, clients.environment, {}, signal);
      const redis = plan.services.find(({ name }) => name === RELEASE);
      assert.deepEqual([redis?.action, plan.prerequisites], ['install', true]);
      assert.match(redis?.reason ?? '', /namespace stores is being deleted/);
    }));
});
