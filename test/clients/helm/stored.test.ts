import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readStoredRelease } from '../../../src/clients/helm/stored.ts';
import type { KubernetesObject } from '../../../src/clients/kubernetes/index.ts';

const RELEASE = {
  name: 'web',
  namespace: 'apps',
  version: 3,
  manifest: '---\nkind: Service\n',
  config: null,
  hooks: null,
  info: { status: 'deployed', last_deployed: '2026-01-01T00:00:00Z' },
  chart: { metadata: { name: 'service', version: '1.0.0' }, templates: [] },
};

const packed = (text: string): string => Buffer.from(gzipSync(text).toString('base64')).toString('base64');
const cluster = (
  release?: string,
): { get: (path: string) => Promise<KubernetesObject | undefined>; asked: string[] } => {
  const asked: string[] = [];
  return {
    asked,
    get: (path) => {
      asked.push(path);
      return Promise.resolve(
        release === undefined
          ? undefined
          : { metadata: { name: 'x', uid: '', resourceVersion: '' }, data: { release } },
      );
    },
  };
};

describe("Helm's record of a revision", () => {
  test('is decoded', async () => {
    const kubernetes = cluster(packed(JSON.stringify(RELEASE)));
    const stored = await readStoredRelease(kubernetes, 'apps', 'web', 3);
    assert.deepEqual(kubernetes.asked, ['/api/v1/namespaces/apps/secrets/sh.helm.release.v1.web.v3']);
    assert.equal(stored?.manifest, RELEASE.manifest);
    assert.deepEqual(stored.config, {});
    assert.deepEqual(stored.hooks, []);
    assert.equal(stored.chart.metadata.version, '1.0.0');
    assert.equal(stored.info.status, 'deployed');
  });

  test('may be gone', async () => {
    assert.equal(await readStoredRelease(cluster(), 'apps', 'web', 3), undefined);
  });

  test('is named when it is damaged', async () => {
    await assert.rejects(
      readStoredRelease(cluster(packed('{"name": "web"}')), 'apps', 'web', 3),
      /Helm's record of revision 3 of apps\/web cannot be read/,
    );
    await assert.rejects(readStoredRelease(cluster('bm90aGluZw=='), 'apps', 'web', 3), /cannot be read/);
  });
});
