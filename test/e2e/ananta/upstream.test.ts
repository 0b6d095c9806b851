/**
 * The Ananta Platform deployed whole from publishers' charts: small ones that make what the real ones were seen to
 * make, under their names and versions, from a registry where there is one, else from a repository.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';
import { readConfig } from '../../../src/config.ts';
import { RELEASE_LABELS } from '../../../src/contract/names.ts';
import { readChartLock } from '../../../src/plan/charts/lock.ts';
import { archivePath } from '../../../src/plan/charts/wanted.ts';
import { helmBinary } from '../../helm/helm.ts';
import { bystanderOn } from '../../support/sandbox/bystander.ts';
import { helmHome, serveRepository } from '../../support/charts/chart-repository.ts';
import { kubectlOn } from '../../support/sandbox/kubectl.ts';
import { registryProgram, startRegistry } from '../../support/charts/oci-registry.ts';
import { failuresOf, resultOf, withSandbox } from '../../support/sandbox/sandbox.ts';
import { packageFromFacts, upstreamFacts } from '../../support/charts/upstream-facts.ts';

const run = promisify(execFile);
const kubeconfigOf = async (state: string): Promise<string> =>
  z
    .object({ cluster: z.object({ kubeconfig: z.string() }) })
    .parse(JSON.parse(await readFile(join(state, 'runtime.json'), 'utf8'))).cluster.kubeconfig;
const verified = z.object({ healthy: z.boolean(), warnings: z.array(z.string()) });

test("48 services, eleven publishers' charts, one service bundled", { timeout: 600_000 }, async () => {
  const facts = await upstreamFacts();
  const helm = await helmBinary();
  const program = await registryProgram();
  await withSandbox({ charts: 'upstream', chartOverrides: { 'redis-exporter': 'bundled' } }, async (sandbox) => {
    const served = join(sandbox.folder, 'served');
    await mkdir(served);
    for (const name of Object.keys(facts.charts)) await packageFromFacts(helm, served, facts, name);
    const repository = await serveRepository(helm, served);
    const registry = program === undefined ? undefined : await startRegistry(program);
    try {
      for (const [name, { version }] of registry ? Object.entries(facts.charts) : []) {
        await run(
          helm,
          ['push', join(served, `${name}-${version}.tgz`), `oci://${registry!.host}/charts`, '--plain-http'],
          { env: helmHome(sandbox.folder) },
        );
      }
      const chartLock = join(sandbox.folder, 'charts.lock.yaml');
      const sources = { charts: 'upstream', chartOverrides: { 'redis-exporter': 'bundled' }, chartLock };
      await sandbox.configure({ ...sources, chartMirror: repository.url });
      const locked = await sandbox.look(['charts', 'lock']);
      assert.equal(locked.code, 0, locked.stderr);
      assert.equal(Object.keys((parse(await readFile(chartLock, 'utf8')) as { charts: object }).charts).length, 11);
      // Locked from the one, installed from the other: the archives are the same.
      await sandbox.configure({
        ...sources,
        chartMirror: registry ? { url: `oci://${registry.host}/charts`, plainHttp: true } : repository.url,
      });
      const first = await sandbox.look(['deploy', '--json']);
      assert.equal(resultOf(first).outcome, 'succeeded', failuresOf(first));
      assert.ok(resultOf(first).services.every(({ state }) => state === 'healthy' || state === 'completed'));

      const revisions = JSON.parse(
        await (await kubectlOn(await kubeconfigOf(sandbox.state), sandbox.folder))([
          'get',
          'secrets',
          '-A',
          '-l',
          'owner=helm',
          '-o',
          'json',
        ]),
      ) as { items: { metadata: { labels: Record<string, string> } }[] };
      const madeFrom = new Map(
        revisions.items.map(({ metadata }) => [metadata.labels['name'], metadata.labels[RELEASE_LABELS.charts]]),
      );
      assert.deepEqual(
        [madeFrom.get('novu-redis'), madeFrom.get('redis-exporter'), madeFrom.get('middleware-api')],
        ['upstream', 'bundled', 'bundled'],
      );

      const check = await sandbox.look(['verify', '--json']);
      const { healthy, warnings } = verified.parse(JSON.parse(check.stdout));
      assert.ok(healthy, check.stdout);
      assert.equal(warnings.length, 10);
      assert.match(
        warnings.join('\n'),
        /rabbitmq runs docker\.io\/bitnamilegacy\/rabbitmq:4\.0\.9-debian-12-r1: frozen and unpatched/,
      );

      const bystander = await bystanderOn(sandbox);
      // The charts are in the cache: no registry is needed.
      await registry?.close();
      const second = await sandbox.look(['deploy', '--json']);
      assert.equal(resultOf(second).outcome, 'unchanged', failuresOf(second));

      // Data that one source's chart has made are never taken over by the other's.
      await sandbox.configure({ ...sources, chartOverrides: { 'redis-exporter': 'bundled', rabbitmq: 'bundled' } });
      const torn = await sandbox.look(['deploy', '--json']);
      assert.notEqual(torn.code, 0);
      assert.match(torn.stdout + torn.stderr, /rabbitmq \(upstream, bundled is asked for\)/);
      // Not even without data, unless the release is removed first.
      const changed = { ...sources, chartOverrides: { jaeger: 'bundled', 'redis-exporter': 'bundled' } };
      await sandbox.configure(changed);
      const stuck = await sandbox.look(['deploy', '--json']);
      assert.match(
        stuck.stdout + stuck.stderr,
        /jaeger \(upstream, bundled is asked for\)\. .*helm uninstall jaeger --namespace monitoring-system/,
      );
      await run(
        helm,
        ['uninstall', 'jaeger', '--namespace', 'monitoring-system', '--kubeconfig', await kubeconfigOf(sandbox.state)],
        { env: helmHome(sandbox.folder) },
      );
      const last = await sandbox.look(['deploy', '--json']);
      assert.equal(resultOf(last).outcome, 'succeeded', failuresOf(last));
      assert.deepEqual(
        resultOf(last)
          .services.filter((service) => service.changed)
          .map(({ name }) => name),
        ['argocd', 'jaeger'],
        'and what Argo CD shows of it',
      );
      await bystander.assertUntouched();
    } finally {
      await repository.close();
      await registry?.close();
      // The cache is the user's own.
      const lock = await readChartLock(join(sandbox.folder, 'charts.lock.yaml'));
      for (const [name, locked] of Object.entries(lock.charts))
        await rm(archivePath(readConfig(), { name, ...locked }), { force: true });
    }
  });
});
