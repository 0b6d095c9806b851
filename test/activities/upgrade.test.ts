/** Which versions of APIs the cluster holds: in Helm's records, in kept versions, in live objects. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
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
});
