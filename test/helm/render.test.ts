import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import PQueue from 'p-queue';
import {
  chartRuns,
  guarded,
  helm,
  helmBinary,
  KUBERNETES_VERSION,
  renderAll,
  replicated,
  sandbox,
  type ChartRun,
} from './helm.ts';
import { goldenFolder, type GoldenSet, withoutDigest } from './golden.ts';

const UPDATE = process.env['UPDATE_GOLDENS'] === '1';
const binary = await helmBinary();
const all = await chartRuns(await sandbox());
/** One of each kind that replicas, storage class or pull secrets change. */
const several = await chartRuns(await replicated(), [
  'tenant-management-service',
  'temporal',
  'jaeger',
  'keycloak',
  'control-plane-postgres',
  'minio-init',
  'argocd',
]);

/** What only a guarded environment has. */
const production = await chartRuns(await guarded(), ['vault', 'keycloak', 'cns-service']);

describe('charts', () => {
  test('pass lint with the values of every release', { skip: UPDATE }, async () => {
    const queue = new PQueue({ concurrency: cpus().length });
    const failures = await queue.addAll(
      all.map(
        ({ release, chartPath, values }) =>
          () =>
            helm(
              binary,
              ['lint', '--strict', '--quiet', chartPath, '--kube-version', KUBERNETES_VERSION, '--values', '-'],
              values,
            ).then(
              () => [],
              (error: unknown) => [`${release.name}: ${String(error)}`],
            ),
      ),
    );
    assert.deepEqual(failures.flat(), []);
  });

  test('refuse values that nobody reads', async () => {
    const service = all.find(({ release }) => release.name === 'cns-service');
    assert.ok(service);
    await assert.rejects(
      helm(
        binary,
        ['template', 'cns-service', service.chartPath, '--kube-version', KUBERNETES_VERSION, '--values', '-'],
        JSON.stringify({ ...(JSON.parse(service.values) as object), replicas: 3 }),
      ),
      /replicas/,
    );
  });
});

describe('releases render as before', () => {
  compare('helm', all);
  compare('helm-replicated', several);
  compare('helm-guarded', production);
});

function compare(set: GoldenSet, runs: ChartRun[]): void {
  test(`${set}: ${runs.length} releases`, async () => {
    const rendered = await renderAll(binary, runs);
    const folder = goldenFolder(set);
    const texts = new Map(
      runs.map(({ release }) => [`${release.name}.yaml`, withoutDigest(release, rendered.get(release.name) ?? '')]),
    );
    if (UPDATE) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
      for (const [file, text] of texts) writeFileSync(join(folder, file), text);
    }
    assert.deepEqual(readdirSync(folder).sort(), [...texts.keys()].sort(), 'one golden file per release');
    for (const [file, text] of texts) {
      assert.equal(
        text,
        readFileSync(join(folder, file), 'utf8'),
        `${set}/${file} differs; if that is wanted: npm run goldens`,
      );
    }
  });
}
