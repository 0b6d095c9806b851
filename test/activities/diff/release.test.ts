/**
 * Objects that a release applied before and no longer has: deleted, unless somebody has marked them to be kept since.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releaseObjects } from '../../../src/effects/diff/release.ts';
import type { Kind } from '../../../src/clients/kubernetes/index.ts';
import { withFakeClients } from '../../support/fakes/clients.ts';
import { helmRecord } from '../../support/fakes/helm-record.ts';

const NAMES = ['kept-by-the-chart', 'kept-by-somebody', 'not-kept'];
const KEEP = { 'helm.sh/resource-policy': 'keep' };

test('a plan takes away what Helm would take away', () =>
  withFakeClients(async ({ clients: { kubernetes }, cluster }) => {
    const claims = { group: '', version: 'v1', kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims' };
    const kinds = new Map<string, Kind>([['/PersistentVolumeClaim', { ...claims, namespaced: true, verbs: [] }]]);
    const manifest = NAMES.map((name) => {
      const annotations = name === 'kept-by-the-chart' ? KEEP : {};
      return `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: ${JSON.stringify({ name, annotations })}\n`;
    }).join('---\n');
    cluster.objects.set(...helmRecord({ namespace: 'apps', release: 'web', revision: 1, manifest }));
    for (const name of NAMES)
      cluster.objects.set(`/api/v1/namespaces/apps/persistentvolumeclaims/${name}`, {
        metadata: {
          name,
          namespace: 'apps',
          uid: name,
          resourceVersion: '1',
          ...(name === 'kept-by-somebody' ? { annotations: KEEP } : {}),
        },
      });
    const release = { name: 'web', namespace: 'apps', revision: 1 };
    const changes = await releaseObjects(kubernetes, kinds, release, ['staging'], [], new AbortController().signal);
    assert.deepEqual(
      changes.map(({ action, name }) => [action, name]),
      [['delete', 'not-kept']],
    );
  }));
