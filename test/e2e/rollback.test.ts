/** Versions of the platform and the ways back, on one sandbox, in the order in which a team meets them. */
import assert from 'node:assert/strict';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { clearProbe, failProbe } from '../../bootstrap/responder/index.ts';
import type { KubernetesClient } from '../../src/clients/kubernetes/index.ts';
import { readConfig } from '../../src/config.ts';
import { readRuntime } from '../../src/environment/connections.ts';
import type { Tree } from '../../src/environment/files/merge.ts';
import { valueAtPath } from '../../src/plan/fields/path.ts';
import { allReleases } from '../../src/plan/releases.ts';
import { type Bystander, bystanderOn } from '../support/sandbox/bystander.ts';
import { clusterOf, factsOf } from '../support/sandbox/cluster-facts.ts';
import { miniWith } from '../support/mini.ts';
import { type Collector, orphans, pathTo, startCollector } from '../support/telemetry/otlp.ts';
import {
  type CliRun,
  failuresOf,
  type JsonLine,
  resultOf,
  type ResultLine,
  type Sandbox,
} from '../support/sandbox/sandbox.ts';
import { deployedSandbox } from '../support/sandbox/snapshot.ts';

interface VersionLine {
  version: number;
  operation: string;
  restores?: number;
  requestedBy: string;
  changes: { release: string; what: string }[];
}

const CHAIN = ['api', 'worker', 'web'];
const NEW_TAGS = CHAIN.flatMap((service) => ['--image', `${service}=2.0.0`]);
const NO_RETURN = 'V3__drop_legacy.sql';

describe('history and rollback', { concurrency: 1 }, () => {
  let sandbox: Sandbox;
  let cluster: KubernetesClient;
  let bystander: Pick<Bystander, 'assertUntouched'>;
  let collector: Collector;
  /** A copy, to which a migration is added. */
  let platform: string;
  before(async () => {
    platform = await miniWith(() => undefined, await mkdtemp(join(tmpdir(), 'ananta-rollback-')));
    collector = await startCollector();
    sandbox = await deployedSandbox({ platform, telemetry: { traces: { endpoint: collector.endpoint } } });
  });
  after(async () => {
    cluster?.close();
    await sandbox?.close();
    await collector.close();
    await rm(dirname(platform), { recursive: true });
  });

  const succeeded = (run: CliRun): ResultLine & { version?: number; toVersion?: number } => {
    const result = resultOf(run);
    assert.equal(result.outcome, 'succeeded', failuresOf(run));
    return result;
  };
  const changed = (result: ResultLine): string[] =>
    result.services
      .filter((service) => service.changed)
      .map(({ name }) => name)
      .sort();
  const history = async (): Promise<VersionLine[]> =>
    JSON.parse((await sandbox.look(['history', '--json'])).stdout) as VersionLine[];
  const replicasOf = async (name: string): Promise<unknown> =>
    (
      (await cluster.get(`/apis/apps/v1/namespaces/apps/deployments/${name}`)) as unknown as {
        spec: { replicas: number };
      }
    ).spec.replicas;
  const imageOf = async (name: string, namespace: string): Promise<string> =>
    (
      (await cluster.get(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`)) as unknown as {
        spec: { template: { spec: { containers: { image: string }[] } } };
      }
    ).spec.template.spec.containers[0]!.image;
  const shownReleases = (run: CliRun): string[] =>
    (run.lines.find(({ type }) => type === 'preview')?.['steps'] as { release: string; namespace: string }[]).map(
      ({ release, namespace }) => `${namespace}/${release}`,
    );
  const rollback = (...args: string[]): Promise<CliRun> => sandbox.look(['rollback', '--json', ...args]);

  test('a deployment is one trace, from the command to each Helm process, without a gap', async () => {
    const run = succeeded(await sandbox.look(['deploy', '--json', ...NEW_TAGS]));
    assert.equal(run.version, 2);
    // Vault, which was started with the sandbox a moment ago, may be opened only now: that counts as a change.
    assert.deepEqual(
      changed(run).filter((name) => name !== 'vault'),
      [...CHAIN].sort(),
    );
    const { spans } = collector;
    // The worker sends what it has once a second; the last of an operation is the workflow's own.
    await waitUntil('the last span', { timeoutMs: 60_000, intervalMs: 100 }, () =>
      Promise.resolve(spans.some(({ name }) => name === 'RunWorkflow:deploy') || undefined),
    );
    assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
    assert.deepEqual(orphans(spans), []);
    assert.deepEqual([...new Set(spans.map(({ process }) => process))].sort(), ['ananta', 'ananta-worker']);
    for (const name of CHAIN) {
      const service = spans.find((span) => span.name === `service ${name}`);
      assert.deepEqual(pathTo(spans, service).slice(0, 2), ['ananta deploy', 'StartWorkflow:deploy'], name);
      assert.equal(service?.attributes['ananta.state'], 'healthy', name);
    }
    const helm = spans.filter(({ name }) => name === 'helm upgrade --install');
    assert.deepEqual(helm.map(({ attributes }) => String(attributes['helm.release'])).sort(), [...CHAIN].sort());
  });

  test('three deployments are three versions; one that changes nothing is none', async () => {
    cluster = await clusterOf(sandbox);
    bystander = await bystanderOn(sandbox);
    const unchanged = resultOf(await sandbox.look(['deploy', '--json', ...NEW_TAGS]));
    assert.deepEqual([unchanged.outcome, unchanged['version']], ['unchanged', 2]);
    await sandbox.configure({ replicas: { services: { admin: 2 } } });
    assert.equal(succeeded(await sandbox.look(['deploy', '--json', ...NEW_TAGS])).version, 3);
    const versions = await history();
    assert.deepEqual(
      versions.map(({ version, operation }) => [version, operation]),
      [
        [3, 'deploy'],
        [2, 'deploy'],
        [1, 'deploy'],
      ],
    );
    assert.ok(versions[0]!.changes.some(({ release }) => release === 'admin'));
    assert.deepEqual(
      versions[1]!.changes
        .map(({ release }) => release)
        .filter((name) => CHAIN.includes(name))
        .sort(),
      [...CHAIN].sort(),
    );
    const whole = JSON.parse((await sandbox.look(['history', '1', '--json'])).stdout) as {
      releases: { name: string; images: unknown[]; chart: { version: string; digest: string } }[];
    };
    assert.equal(whole.releases.length, allReleases(sandbox.catalog).filter(({ kind }) => kind === 'release').length);
    assert.ok(whole.releases.every(({ chart }) => chart.version !== '' && /^[0-9a-f]{16}$/.test(chart.digest)));
  });

  test('diff names chart, image and fields, and needs neither worker nor engine', async () => {
    for (const component of ['worker', 'temporal'] as const) process.kill(await sandbox.pidOf(component), 'SIGKILL');
    const run = await sandbox.look(['diff', '1', '3', '--json']);
    assert.equal(run.code, 2, run.stderr);
    const { releases } = JSON.parse(run.stdout) as {
      releases: {
        release: string;
        what: string;
        objects: { kind: string; fields: { path: string; from?: string; to?: string }[] }[];
      }[];
    };
    const fieldsOf = (release: string): string[] =>
      releases
        .find((one) => one.release === release)!
        .objects.flatMap(({ kind, fields }) =>
          fields.map(({ path, from, to }) => `${kind} ${path}: ${from ?? ''} → ${to ?? ''}`),
        );
    assert.ok(
      fieldsOf('admin').some((line) => /Deployment spec\.replicas: 1 → 2/.test(line)),
      fieldsOf('admin').join('\n'),
    );
    assert.ok(
      fieldsOf('web').some((line) => /containers\[name=[\w-]+\]\.image: .* → .*:2\.0\.0/.test(line)),
      fieldsOf('web').join('\n'),
    );
    assert.equal((await sandbox.look(['diff', '3'])).code, 0);
    const unknown = await sandbox.look(['diff', '3', '99']);
    assert.equal(unknown.code, 3);
    assert.match(unknown.stderr, /no version 99 .*kept are 1, 2, 3/);
    assert.equal((await sandbox.look(['up'])).code, 0);
  });

  test('no environment, no rollback', async () => {
    const run = await execa(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(sandbox.checkout, 'src/cli/main.ts'), 'rollback'],
      { reject: false, env: { ANANTA_STATE_DIR: join(sandbox.folder, 'state') } },
    );
    assert.equal(run.exitCode, 3);
    assert.match(run.stderr, /--env/);
  });

  test('back by one: what changed since goes back, nothing else is touched', async () => {
    const before = await factsOf(cluster);
    assert.equal(await replicasOf('admin'), 2);
    const run = await rollback();
    const result = succeeded(run);
    assert.deepEqual([result.toVersion, result.version], [2, 4]);
    assert.ok(changed(result).includes('admin'));
    assert.ok(!changed(result).some((name) => CHAIN.includes(name)));
    assert.equal(await replicasOf('admin'), 1);
    const shown = shownReleases(run);
    assert.ok(shown.includes('apps/admin') && shown.length <= 2, shown.join());
    const now = await factsOf(cluster);
    for (const [release, revisions] of Object.entries(before.releases))
      if (!shown.includes(release)) assert.deepEqual(now.releases[release], revisions, release);
    const [newest] = await history();
    assert.deepEqual([newest!.operation, newest!.restores], ['rollback', 2]);
  });

  test('to version 1, its worker killed in the middle: goes on, dependents first, each release once', async () => {
    const before = await factsOf(cluster);
    const worker = await sandbox.pidOf('worker');
    const running = sandbox.begin(['rollback', '--json', '--to', '1']);
    const healthy = (line: JsonLine): boolean =>
      line.type === 'service' && line['state'] === 'healthy' && CHAIN.includes(String(line['name']));
    await running.line(healthy);
    process.kill(worker, 'SIGKILL');
    const run = await running.done;
    const result = succeeded(run);
    assert.deepEqual([result.toVersion, result.version], [1, 5]);
    for (const name of CHAIN) assert.ok(changed(result).includes(name), name);
    const order = run.lines.filter(healthy).map((line) => String(line['name']));
    assert.ok(order.indexOf('web') < order.indexOf('api'), order.join(', '));
    const now = await factsOf(cluster);
    const shown = shownReleases(run);
    for (const [release, revisions] of Object.entries(now.releases)) {
      const [newest, status] = revisions.at(-1)!.split(':');
      assert.equal(status, 'deployed', release);
      assert.equal(
        Number(newest) - Number(before.releases[release]!.at(-1)!.split(':')[0]),
        shown.includes(release) ? 1 : 0,
        `${release}: ${before.releases[release]!.join()} → ${revisions.join()}`,
      );
    }
    assert.deepEqual(now.secrets, before.secrets);
    assert.equal((await sandbox.look(['verify'])).code, 0);
    assert.equal((await sandbox.look(['diff', '1'])).code, 0);
  });

  test('forward again, although Helm has written more than ten revisions in between', async () => {
    const runtime = await readRuntime({ ...readConfig(), stateRoot: join(sandbox.folder, 'state') }, sandbox.name);
    const revision = (await factsOf(cluster)).releases['apps/admin']!.at(-1)!.split(':')[0]!;
    for (let time = 0; time < 12; time += 1) {
      await execa(runtime!.tools['helm']!, [
        'rollback',
        'admin',
        revision,
        '--namespace',
        'apps',
        '--history-max',
        '0',
        '--server-side=true',
        '--force-conflicts',
        '--kubeconfig',
        runtime!.cluster!.kubeconfig,
      ]);
    }
    const result = succeeded(await rollback('--to', '3'));
    assert.equal(result.version, 6);
    assert.equal(await replicasOf('admin'), 2);
    assert.equal((await sandbox.look(['diff', '3'])).code, 0);
    const { releases } = await factsOf(cluster);
    // The twelve revisions that were made by hand belong to others and stay; revisions of ours that no version needs
    // are gone.
    assert.equal(releases['apps/admin']!.length, 12 + 2, releases['apps/admin']!.join());
    for (const [release, revisions] of Object.entries(releases))
      if (release !== 'apps/admin') assert.ok(revisions.length <= 2, `${release}: ${revisions.join()}`);
  });

  test('stopped at a point of no return, nothing touched; crossed when told to', async () => {
    const file = join(platform, 'helm/migrations/schema', NO_RETURN);
    await writeFile(
      file,
      '-- Drops what nobody reads any more.\n-- point-of-no-return: the legacy columns are dropped\nSELECT 1;\n',
    );
    assert.equal(succeeded(await sandbox.look(['deploy', '--json', ...NEW_TAGS])).version, 7);
    await rm(file);
    const before = await factsOf(cluster);
    const refused = await rollback();
    assert.equal(refused.code, 3, refused.stdout);
    assert.match(refused.stderr, /V3__drop_legacy\.sql .*the legacy columns are dropped/);
    assert.match(refused.stderr, /--past-no-return/);
    assert.deepEqual(await factsOf(cluster), before);
    const result = succeeded(await rollback('--past-no-return'));
    assert.deepEqual([result.toVersion, result.version], [6, 8]);
    assert.equal(result.services.find(({ name }) => name === 'schema')?.state, 'completed');
  });

  test('evidence of what is not well is kept before it is touched, and named', async () => {
    const failures = join(sandbox.state, 'responder', 'failures');
    await sandbox.configure({ replicas: { services: { admin: 1 } }, healthTimeoutFactor: 0.06 });
    await failProbe(failures, 'admin', 'unhealthy');
    const failed = await sandbox.look(['deploy', '--json', ...NEW_TAGS, '--image', 'admin=broken']);
    assert.equal(failed.code, 1);
    assert.match(await imageOf('admin', 'apps'), /:broken$/);
    await clearProbe(failures);
    const run = await rollback();
    const result = succeeded(run);
    assert.equal(result.toVersion, 8, 'the newest version: what the failed deployment left is none');
    const [evidence] = result['evidence'] as { service: string; file: string }[];
    assert.equal(evidence?.service, 'admin');
    await access(evidence.file);
    assert.doesNotMatch(await imageOf('admin', 'apps'), /:broken$/);
  });

  test('onFailure: rollback takes back what a failed deployment changed, and nothing else', async () => {
    const failures = join(sandbox.state, 'responder', 'failures');
    await sandbox.configure({
      replicas: { services: { admin: 2 } },
      healthTimeoutFactor: 0.06,
      onFailure: 'rollback',
    });
    const before = await history();
    await failProbe(failures, 'web', 'unhealthy');
    const running = sandbox.begin([
      'deploy',
      '--json',
      '--image',
      'api=3.0.0',
      '--image',
      'worker=2.0.0',
      '--image',
      'web=3.0.0',
    ]);
    await running.line((line) => line.type === 'service' && line['name'] === 'web' && line['state'] === 'failed');
    await clearProbe(failures);
    const run = await running.done;
    const result = resultOf(run);
    assert.equal(run.code, 1);
    assert.equal(result.outcome, 'failed');
    const undone = result['undone'] as { outcome: string; services: ResultLine['services'] };
    assert.equal(undone.outcome, 'succeeded', JSON.stringify(undone));
    const back = undone.services.filter((service) => service.changed).map(({ name }) => name);
    assert.ok(back.includes('web') && back.includes('api'), back.join());
    assert.match(await imageOf('api', 'apps'), /:2\.0\.0$/);
    assert.match(await imageOf('web', 'apps'), /:2\.0\.0$/);
    assert.equal((await history()).length, before.length, 'a failed deployment is no version');
    assert.equal((await sandbox.look(['diff', String(before[0]!.version)])).code, 0);
  });

  test('volumes grow while their pods run, also after a run that was cut off; a rollback keeps them, and drift sees none', async () => {
    const DATA = '/api/v1/namespaces/data';
    const get = async (path: string): Promise<Tree> => {
      const found = await cluster.get(path);
      assert.ok(found, path);
      return found;
    };
    const pods = (): Promise<unknown[]> =>
      Promise.all(
        ['database-0', 'storage-0'].map(async (pod) =>
          valueAtPath(await get(`${DATA}/pods/${pod}`), ['metadata', 'uid']),
        ),
      );
    const capacities = (): Promise<unknown[]> =>
      Promise.all(
        ['data-database-0', 'data-storage-0'].map(async (claim) =>
          valueAtPath(await get(`${DATA}/persistentvolumeclaims/${claim}`), ['status', 'capacity', 'storage']),
        ),
      );
    const set = (name: string): string => `/apis/apps/v1/namespaces/data/statefulsets/${name}`;
    const sizes = { database: '2Gi', storage: '3Gi' };
    await sandbox.configure({ storage: { sizes: { ...sizes, database: '1Mi' } } });
    const refused = await sandbox.look(['plan', '--json', '--only', 'database']);
    assert.equal(refused.code, 3);
    assert.match(refused.stderr, /would shrink from 1Gi to 1Mi, and volumes never shrink: write 1Gi or more/);

    await sandbox.configure({ storage: { sizes } });
    const before = await pods();
    const former = (await get(set('database'))).metadata as { uid: string };
    // As a run leaves it that was killed between taking the StatefulSet away and applying the release.
    await cluster.remove(set('storage'), { propagation: 'Orphan' });
    const run = await sandbox.look(['deploy', '--json', '--only', 'database', '--only', 'storage']);
    const result = succeeded(run);
    assert.deepEqual(changed(result), ['database', 'storage']);
    assert.match(JSON.stringify(run.lines), /claim data-database-0 from 1Gi to 2Gi .*StatefulSet database is replaced/);
    assert.deepEqual(await capacities(), ['2Gi', '3Gi']);
    assert.deepEqual(await pods(), before, 'no pod was replaced');
    const made = (await get(set('database'))).metadata as { uid: string };
    assert.notEqual(made.uid, former.uid);

    const back = await rollback();
    succeeded(back);
    assert.deepEqual(shownReleases(back).sort(), ['data/database', 'data/storage']);
    assert.match(JSON.stringify(back.lines), /claims data of StatefulSet database stay at 2Gi, that revision had 1Gi/);
    assert.deepEqual(await capacities(), ['2Gi', '3Gi']);
    assert.deepEqual(await pods(), before, 'no pod was replaced');
    const drift = JSON.parse((await sandbox.look(['drift', 'show', '--json'])).stdout) as {
      findings: { name: string }[];
    };
    assert.deepEqual(
      drift.findings.filter(({ name }) => /database|storage/.test(name)),
      [],
    );
  });

  test('what others have on the cluster is as it was', () => bystander.assertUntouched());
});
