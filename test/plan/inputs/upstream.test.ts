import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Catalog } from '../../../src/catalog/schema.ts';
import { readConfig } from '../../../src/config.ts';
import type { Environment } from '../../../src/environment/schema.ts';
import { healthOf } from '../../../src/plan/health-check.ts';
import { releaseInputs } from '../../../src/plan/inputs/release-inputs.ts';
import { overlay } from '../../../src/plan/inputs/values.ts';
import { findRelease, findService } from '../../../src/plan/releases.ts';
import { miniCatalog, miniEnvironment } from '../../support/mini.ts';

const mini = await miniCatalog();
const { postgresql } = mini.upstreamCharts;
/** A second chart, which its publisher serves from a repository alone, in other values than the key says. */
const catalog: Catalog = {
  ...mini,
  upstreamCharts: {
    ...mini.upstreamCharts,
    store: {
      name: 'store',
      component: 'Store',
      versionLine: '1.x',
      version: '1.2.3',
      repository: 'https://charts.example.org',
      overlay: 'minio',
    },
  },
  services: mini.services.map((service) =>
    service.name === 'storage'
      ? {
          ...service,
          chart: { ...service.chart, upstream: 'store' },
          healthUpstream: { kind: 'http', port: 9000, path: '/healthz' },
        }
      : service,
  ),
};
const config = readConfig({});
let prod: Environment;
before(async () => {
  prod = await miniEnvironment('prod');
});

const values = (release: string, tags: Record<string, string> = {}): Record<string, unknown> =>
  overlay(catalog, prod, findRelease(catalog, release), tags);

describe("values of the publishers' charts", () => {
  test('follow from catalog and environment, in the words of the chart', () => {
    const made = values('database') as { auth: { existingSecret: string }; primary: { persistence: unknown } };
    assert.equal(made.auth.existingSecret, 'vault-database-main');
    assert.deepEqual(made.primary.persistence, { size: '1Gi', storageClass: 'ssd' });
  });

  test('are those that the chart names, where its key is not one', () => {
    assert.equal(values('storage')['existingSecret'], 'vault-storage-main');
  });

  test('call the release by its name', () => {
    for (const { name, chart } of catalog.services)
      if (chart.upstream !== undefined) assert.equal(values(name)['fullnameOverride'], name);
  });

  test('leave the image alone, unless somebody asks for a tag', () => {
    assert.equal(values('database')['image'], undefined);
    assert.deepEqual(values('database', { database: '9' })['image'], { tag: '9' });
  });

  test("steps and the platform's own services keep the bundled charts", async () => {
    for (const name of ['database-roles', 'api', 'schema']) {
      const inputs = await releaseInputs(catalog, prod, findRelease(catalog, name), {}, config);
      assert.match(inputs.chartPath, /helm\/charts\/(job|service)$/);
      assert.equal(inputs.upstream, undefined);
    }
  });

  test('refer to OCI where the publisher serves it, else to the repository', async () => {
    const reference = async (name: string): Promise<unknown> => {
      const { upstream } = await releaseInputs(catalog, prod, findRelease(catalog, name), {}, config);
      return { place: upstream?.place, version: upstream?.version };
    };
    assert.deepEqual(await reference('database'), {
      place: { kind: 'oci', reference: postgresql!.oci },
      version: postgresql!.version,
    });
    assert.deepEqual(await reference('storage'), {
      place: { kind: 'repository', url: 'https://charts.example.org' },
      version: '1.2.3',
    });
  });

  test('answer health checks where their version does', () => {
    const storage = findService(catalog, 'storage');
    const [upstream, bundled] = [storage.healthUpstream, storage.health];
    assert.notDeepEqual(upstream, bundled);
    assert.deepEqual(healthOf({ charts: 'upstream', chartOverrides: {} }, storage), upstream);
    assert.deepEqual(healthOf({ charts: 'bundled', chartOverrides: {} }, storage), bundled);
    assert.deepEqual(healthOf({ charts: 'upstream', chartOverrides: { storage: 'bundled' } }, storage), bundled);
  });
});
