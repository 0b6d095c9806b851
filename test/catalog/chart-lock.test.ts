import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCatalog } from '../../src/catalog/index.ts';
import { readConfig } from '../../src/config.ts';
import { chartLockFile, readChartLock } from '../../src/plan/charts/lock.ts';

test("the lock of this repository names charts of the catalog at their versions, and only those, from their publishers' own repositories", async () => {
  const { upstreamCharts } = loadCatalog();
  const { charts } = await readChartLock(chartLockFile({ platform: 'ananta' }, readConfig({})));
  assert.ok(Object.keys(charts).length >= 9);
  for (const [key, { version, source }] of Object.entries(charts)) {
    const chart = upstreamCharts[key];
    assert.deepEqual([version, source], [chart?.version, chart?.oci ?? chart?.repository], key);
  }
});
