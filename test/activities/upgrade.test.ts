/** Which API versions are used in the cluster: by Helm's records, by kept platform versions, by live objects. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Kind, type KubernetesClient, KubernetesError } from '../../src/clients/kubernetes/index.ts';
import { surveyApis } from '../../src/effects/upgrade/survey.ts';
import { createVersion } from '../../src/effects/versions/store.ts';
import { readApiLifecycles } from '../../src/plan/upgrade/apis.ts';
import { upgradeReport } from '../../src/plan/upgrade/report.ts';
import { withFakeClients } from '../support/fakes/clients.ts';
import { helmRecord } from '../support/fakes/helm-record.ts';

const signal = new AbortController().signal;
const TARGET = { major: 1, minor: 37 };
const manifest = (apiVersion: string): string =>
  `apiVersion: ${apiVersion}\nkind: VolumeAttributesClass\nmetadata: {name: fast}\n`;

describe('before an upgrade of Kubernetes', () => {
  test('records of what runs, of what a rollback needs, and writers of live objects are looked at', () =>
    withFakeClients(async ({ clients, cluster }) => {
      const { apis } = await readApiLifecycles();
      for (const [revision, apiVersion] of [
        [1, 'storage.k8s.io/v1beta1'],
        [2, 'storage.k8s.io/v1beta1'],
        [3, 'storage.k8s.io/v1'],
      ] as const)
        cluster.objects.set(
          ...helmRecord({ namespace: 'stores', release: 'cache', revision, manifest: manifest(apiVersion) }),
        );
      cluster.objects.set(...helmRecord({ namespace: 'apps', release: 'api', revision: 1, junk: 'x' }));
      await createVersion(clients.kubernetes, {
        environment: 'sandbox',
        clusterUid: 'uid',
        operation: 'deploy',
        at: '2026-01-01T00:00:00Z',
        requestedBy: 'ann',
        planDigest: 'd',
        workflowId: 'w',
        runId: 'r',
        seconds: 1,
        imageTags: {},
        services: [],
        releases: [
          {
            service: 'cache',
            name: 'cache',
            namespace: 'stores',
            job: false,
            revision: 2,
            digest: 'd',
            chart: { name: 'redis', version: '1.0.0' },
            images: [],
          },
        ],
      });
      const kind = {
        group: 'storage.k8s.io',
        version: 'v1',
        kind: 'VolumeAttributesClass',
        plural: 'volumeattributesclasses',
        namespaced: false,
        verbs: ['list'],
      };
      cluster.objects.set('/apis/storage.k8s.io/v1/volumeattributesclasses/fast', {
        metadata: {
          name: 'fast',
          uid: 'f',
          resourceVersion: '1',
          managedFields: [
            { manager: 'their-operator', operation: 'Update', apiVersion: 'storage.k8s.io/v1beta1', fieldsV1: {} },
            { manager: 'helm', operation: 'Apply', apiVersion: 'storage.k8s.io/v1', fieldsV1: {} },
          ],
        },
      });
      const kubernetes = { ...clients.kubernetes, kinds: () => Promise.resolve({ kinds: [kind], silent: [] }) };
      const survey = await surveyApis({ ...clients, kubernetes }, TARGET, apis, signal);
      assert.equal(survey.version, 'v1.35.0');
      assert.deepEqual(
        survey.records.map(({ release, revision, newest, versions }) => [release, revision, newest, versions]),
        [
          ['stores/cache', 2, false, [1]],
          ['stores/cache', 3, true, []],
        ],
      );
      assert.deepEqual(survey.notes, ["Helm's record of apps/api, revision 1, cannot be read"]);
      const report = upgradeReport(TARGET, { rendered: new Map(), charts: [], notes: [], survey }, apis);
      assert.deepEqual(
        [
          report.running.length,
          report.kept.map(({ versions }) => versions),
          report.written.map(({ manager }) => manager),
        ],
        [0, [[1]], ['their-operator']],
      );
    }));

  test('a kind whose definition has just gone, or whose server is down, keeps nobody from the rest', () =>
    withFakeClients(async ({ clients, cluster }) => {
      const { apis } = await readApiLifecycles();
      const kind = (group: string, name: string, plural: string, version: string): Kind => ({
        group,
        version,
        kind: name,
        plural,
        namespaced: false,
        verbs: ['list'],
      });
      const kinds = [
        kind('storage.k8s.io', 'VolumeAttributesClass', 'volumeattributesclasses', 'v1'),
        kind('example.org', 'Gone', 'gones', 'v1beta1'),
        kind('example.org', 'Down', 'downs', 'v1beta1'),
      ];
      cluster.objects.set('/apis/storage.k8s.io/v1/volumeattributesclasses/fast', {
        metadata: {
          name: 'fast',
          uid: 'f',
          resourceVersion: '1',
          managedFields: [
            { manager: 'their-operator', operation: 'Update', apiVersion: 'storage.k8s.io/v1beta1', fieldsV1: {} },
          ],
        },
      });
      const list: KubernetesClient['list'] = (path, ...rest) => {
        const status = path.endsWith('/gones') ? 404 : path.endsWith('/downs') ? 503 : undefined;
        return status === undefined
          ? clients.kubernetes.list(path, ...rest)
          : Promise.reject(new KubernetesError(`GET ${path}`, status, '', 'no answer'));
      };
      const kubernetes = { ...clients.kubernetes, list, kinds: () => Promise.resolve({ kinds, silent: [] }) };
      const going = ['Gone', 'Down'].map((name) => ({ apiVersion: 'example.org/v1beta1', kind: name, removed: 37 }));
      const survey = await surveyApis({ ...clients, kubernetes }, TARGET, [...apis, ...going], signal);
      assert.deepEqual(
        survey.written.map(({ object, manager }) => [object, manager]),
        [['fast', 'their-operator']],
      );
      assert.deepEqual(survey.notes, [
        'Downs of the cluster could not be looked at: GET /apis/example.org/v1beta1/downs: 503 no answer',
      ]);
    }));
});
