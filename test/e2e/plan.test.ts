/**
 * `ananta plan` and `deploy --plan` as a user meets them, on one sandbox: the order of these tests is that of a
 * platform's life.
 */
import assert from 'node:assert/strict';
import { access, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import type { KubernetesClient } from '../../src/clients/kubernetes/index.ts';
import { readConfig } from '../../src/config.ts';
import { readRuntime } from '../../src/environment/connections.ts';
import type { ObjectChange, PlatformChanges, ServiceChange } from '../../src/plan/diff/types.ts';
import { type Bystander, bystanderOn } from '../support/sandbox/bystander.ts';
import { clusterOf, type Facts, factsOf, secretValues } from '../support/sandbox/cluster-facts.ts';
import { createSandbox, failuresOf, MINI, resultOf, type Sandbox } from '../support/sandbox/sandbox.ts';

describe('plans', { concurrency: 1 }, () => {
  let sandbox: Sandbox;
  let cluster: KubernetesClient | undefined;
  let facts: Facts;
  /** Of the platform. */
  let all = 0;
  /** All output of `plan`: no secret may be in it. */
  let said = '';
  const connected = async (): Promise<KubernetesClient> => (cluster ??= await clusterOf(sandbox));
  const file = (name: string): string => join(sandbox.folder, name);

  const planned = async (
    ...args: string[]
  ): Promise<{
    code: number | null;
    changes: PlatformChanges;
    service: (name: string) => ServiceChange;
    stderr: string;
  }> => {
    const { code, stdout, stderr } = await sandbox.look(['plan', '--json', ...args]);
    said += stdout + stderr;
    assert.ok(code === 0 || code === 2, stderr);
    const changes = JSON.parse(stdout) as PlatformChanges;
    return {
      code,
      changes,
      stderr,
      service: (name) => {
        const found = changes.services.find((service) => service.name === name);
        assert.ok(found, name);
        return found;
      },
    };
  };
  const printed = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await sandbox.look(['plan', ...args]);
    said += stdout + stderr;
    return stdout;
  };
  const kubectl = async (...args: string[]): Promise<void> => {
    const runtime = await readRuntime({ ...readConfig(), stateRoot: join(sandbox.folder, 'state') }, sandbox.name);
    await execa(runtime?.tools['kubectl'] ?? 'kubectl', ['--kubeconfig', runtime?.cluster?.kubeconfig ?? '', ...args]);
  };
  const touched = ({ services }: PlatformChanges): string[] =>
    services.filter(({ action }) => action !== 'skip').map(({ name, action }) => `${name} ${action}`);
  const objectOf = (service: ServiceChange, kind: string): ObjectChange => {
    const found = service.releases.flatMap(({ objects }) => objects).find((object) => object.kind === kind);
    assert.ok(found, `${service.name} ${kind}: ${JSON.stringify(service.releases)}`);
    return found;
  };

  let bystander: Pick<Bystander, 'assertUntouched'>;

  before(async () => {
    sandbox = await createSandbox(MINI);
    all = sandbox.catalog.services.length;
  });
  after(async () => {
    cluster?.close();
    await sandbox.close();
  });

  test('of a cluster that was never made: everything is new, nothing is started', async () => {
    const { code, changes } = await planned('--out', file('first.json'));
    assert.equal(code, 2);
    assert.equal(changes.clusterUid, undefined);
    assert.ok(changes.services.every(({ action }) => action === 'create'));
    assert.ok(
      changes.services.every(({ releases }) =>
        releases.every(({ kind, objects }) => kind !== 'release' || objects.length > 0),
      ),
    );
    assert.equal(
      changes.prerequisites.filter(({ what }) => what.startsWith('Namespace ')).length,
      sandbox.catalog.namespaces.length,
    );
    assert.ok(changes.expected.seconds > 0 && changes.expected.path.length > 1 && changes.expected.measured === 0);
    assert.deepEqual(
      (await sandbox.components()).filter(({ healthy }) => healthy),
      [],
    );
    await assert.rejects(access(join(sandbox.state, 'cluster')));
    assert.match(
      await printed(),
      new RegExp(`whose cluster is still to be made[^]*${all} services: ${all} to create\\.[^]*Nothing was changed\\.`),
    );
  });

  test('that very plan is carried out, as it is kept', async () => {
    assert.equal((await stat(file('first.json'))).mode & 0o777, 0o600);
    const run = await sandbox.look(['deploy', '--json', '--plan', file('first.json')]);
    assert.equal(resultOf(run).outcome, 'succeeded', failuresOf(run));
    bystander = await bystanderOn(sandbox);
    facts = await factsOf(await connected());
  });

  test('it is refused a second time: the world is another one', async () => {
    const run = await sandbox.look(['deploy', '--json', '--plan', file('first.json')]);
    assert.equal(run.code, 3, run.stdout + run.stderr);
    assert.match(
      run.stderr,
      /does not fit any more[^]*operator: no release then, revision 1 now; planned as install, now unchanged/,
    );
    assert.deepEqual(await factsOf(await connected()), facts);
  });

  test('of an unchanged platform is empty and needs no worker', async () => {
    process.kill(await sandbox.pidOf('worker'), 'SIGTERM');
    const { code, changes } = await planned();
    assert.equal(code, 0, JSON.stringify(touched(changes)));
    assert.deepEqual(
      {
        changes: changes.changes,
        touched: touched(changes),
        prerequisites: changes.prerequisites,
        orphans: changes.orphans,
      },
      { changes: false, touched: [], prerequisites: [], orphans: [] },
    );
    assert.match(await printed(), new RegExp(`${all} services: ${all} as wanted\\.\nNothing to do in rehearsal\\.`));
    assert.equal((await sandbox.components()).find(({ name }) => name === 'worker')?.healthy, false);
  });

  test('an upgrade, field by field, with what was measured before and as a picture', async () => {
    const { code, changes, service } = await planned('--image', 'api=9.9.9', '--svg', file('plan.svg'));
    assert.equal(code, 2);
    assert.deepEqual(touched(changes), ['api upgrade']);
    assert.deepEqual(objectOf(service('api'), 'Deployment').fields, [
      { path: 'metadata.labels[app.kubernetes.io/version]', from: '1.0.0', to: '9.9.9' },
      {
        path: 'spec.template.spec.containers[name=app].image',
        from: 'registry.ananta.example/platform/api:1.0.0',
        to: 'registry.ananta.example/platform/api:9.9.9',
      },
    ]);
    assert.deepEqual(
      { measured: changes.expected.measured, touched: changes.expected.touched, path: changes.expected.path },
      { measured: 1, touched: 1, path: ['api'] },
    );
    assert.match(await readFile(file('plan.svg'), 'utf8'), /^<\?xml[^]*1 upgrade[^]*api/);
    const text = await printed('--image', 'api=9.9.9');
    assert.match(text, /~ {3}api \(apps\): chart, values or image changed/);
    assert.ok(
      text
        .split('\n')
        .filter((line) => !line.startsWith('Next:'))
        .every((line) => line.length <= 80),
      text,
    );
  });

  test('part of the platform: what is skipped is not touched', async () => {
    const refused = await sandbox.look(['plan', '--image', 'api=9.9.9', '--skip', 'api']);
    assert.deepEqual(
      [refused.code, /--image api=9\.9\.9 would do nothing/.test(refused.stderr)],
      [3, true],
      refused.stderr,
    );
    const { changes, service } = await planned('--skip', 'api');
    assert.deepEqual(touched(changes), []);
    assert.deepEqual(
      service('api').releases.map(({ action }) => action),
      ['excluded'],
    );
  });

  test('what others did: a conflict, a lost workload, a Secret that differs, a lost record, a release of nobody', async () => {
    await kubectl('-n', 'apps', 'scale', 'deployment', 'api', '--replicas=3');
    await kubectl('-n', 'operators', 'delete', 'deployment', 'operator');
    await kubectl(
      '-n',
      'apps',
      'patch',
      'secret',
      'vault-storage-main',
      '--type=merge',
      '-p',
      JSON.stringify({ stringData: { secretKey: 'edited-by-hand-0123456789' } }),
    );
    await kubectl('-n', 'apps', 'delete', 'secret', '-l', 'owner=helm,name=web');
    await kubectl('-n', 'apps', 'annotate', 'service', 'admin', 'meta.helm.sh/release-name=theirs', '--overwrite');
    await kubectl('-n', 'apps', 'delete', 'secret', '-l', 'owner=helm,name=admin');
    await kubectl('-n', 'apps', 'create', 'secret', 'generic', 'sh.helm.release.v1.leftover.v2');
    await kubectl(
      '-n',
      'apps',
      'label',
      'secret',
      'sh.helm.release.v1.leftover.v2',
      'owner=helm',
      'name=leftover',
      'version=2',
      'status=deployed',
      'ananta-environment=rehearsal',
    );
    const { code, changes, service } = await planned('--image', 'api=9.9.9');
    assert.equal(code, 2);
    assert.deepEqual(touched(changes).sort(), [
      'admin adopt',
      'api upgrade',
      'operator retry',
      'vault upgrade',
      'web adopt',
    ]);

    const scaled = objectOf(service('api'), 'Deployment');
    assert.deepEqual(
      scaled.fields.find(({ path }) => path === 'spec.replicas'),
      { path: 'spec.replicas', from: '3', to: '1' },
    );
    assert.match(scaled.note ?? '', /kubectl owns spec\.replicas: put back/);
    assert.equal(scaled.blocked, undefined);
    assert.deepEqual(
      service('operator').releases[0]?.objects.map(({ action, kind }) => `${action} ${kind}`),
      ['create Deployment'],
    );
    assert.ok(
      service('web').releases[0]?.objects.every(
        ({ action, fields, blocked }) => action === 'adopt' && fields.length === 0 && blocked === undefined,
      ),
    );
    assert.match(objectOf(service('admin'), 'Service').blocked ?? '', /belongs to Helm release apps\/theirs/);
    assert.deepEqual(changes.prerequisites, [
      {
        action: 'update',
        what: 'Secret apps/vault-storage-main',
        why: 'holds other keys, or was edited by hand',
      },
    ]);
    assert.deepEqual(changes.orphans, [{ name: 'leftover', namespace: 'apps', revision: 2 }]);
    assert.doesNotMatch(said, /edited-by-hand/);
    assert.match(await printed(), /release leftover \(apps\), revision 2: left as it is/);

    await kubectl('-n', 'apps', 'scale', 'deployment', 'api', '--replicas=1');
    await kubectl('-n', 'apps', 'annotate', 'service', 'admin', 'meta.helm.sh/release-name=admin', '--overwrite');
    await kubectl('-n', 'apps', 'delete', 'secret', 'sh.helm.release.v1.leftover.v2');
    const healed = await sandbox.look(['deploy', '--json']);
    assert.equal(resultOf(healed).outcome, 'succeeded', failuresOf(healed));
    assert.equal((await planned()).code, 0);
  });

  test('replacements: an immutable field by its name, a Job by its successor', async () => {
    await sandbox.configure({ storage: { sizes: { storage: '5Gi' } } });
    const { service, changes } = await planned();
    const store = service('storage');
    assert.equal(store.action, 'replace');
    const set = objectOf(store, 'StatefulSet');
    assert.deepEqual(set.immutable, ['spec.volumeClaimTemplates[name=data].spec.resources.requests.storage']);
    // Another size is no obstacle: the claims grow, and the StatefulSet is replaced while its pods stay.
    assert.equal(set.blocked, undefined);
    assert.match(
      changes.notes.join('\n'),
      /storage: claim data-storage-0 from 1Gi to 5Gi .* replaced without its pods/,
    );
    await sandbox.configure({ storage: { class: 'another' } });
    const moved = objectOf((await planned()).service('storage'), 'StatefulSet');
    assert.deepEqual(moved.immutable, ['spec.volumeClaimTemplates[name=data].spec.storageClassName']);
    assert.match(moved.blocked ?? '', /cannot be changed in place/);
    await sandbox.configure({});

    const jobs = await planned('--image', 'schema=9.9.9');
    const migrations = jobs.service('schema');
    assert.equal(migrations.action, 'replace');
    const job = objectOf(migrations, 'Job');
    assert.match(job.name, /^schema-[0-9a-f]{8} → schema-[0-9a-f]{8}$/);
    assert.equal(job.blocked, undefined);
    assert.ok(job.fields.some(({ path, to }) => path.endsWith('.image') && to?.endsWith(':9.9.9')));
  });

  test('a plan is refused when catalog or values have changed since, and when it is none', async () => {
    const path = file('upgrade.json');
    assert.equal((await planned('--image', 'operator=9.9.9', '--out', path)).code, 2);
    facts = await factsOf(await connected());
    const refused = async (says: RegExp, ...args: string[]): Promise<void> => {
      const run = await sandbox.look(['deploy', '--json', ...args]);
      assert.equal(run.code, 3, run.stdout + run.stderr);
      assert.match(run.stderr, says);
      assert.deepEqual(await factsOf(await connected()), facts);
    };
    await sandbox.configure({ replicas: { services: { web: 2 } } });
    await refused(
      /web: chart, values or image were edited \([0-9a-f]{16}, now [0-9a-f]{16}\); planned as unchanged, now upgrade/,
      '--plan',
      path,
    );
    await sandbox.configure({});
    await refused(/--image cannot be given together with --plan/, '--plan', path, '--image', 'operator=1');
    await refused(
      /is not a plan file/,
      '--plan',
      join(sandbox.folder, 'environments', '..', 'state', sandbox.name, 'vault-keys.json'),
    );
    await refused(/cannot be read/, '--plan', file('nothing.json'));
    const run = await sandbox.look(['deploy', '--json', '--plan', path]);
    const result = resultOf(run);
    assert.equal(result.outcome, 'succeeded', failuresOf(run));
    assert.deepEqual(
      result.services.filter(({ changed }) => changed).map(({ name }) => name),
      ['operator'],
    );
  });

  test('no plan has said a secret, and none has changed anything', async () => {
    for (const name of ['first.json', 'upgrade.json', 'plan.svg']) said += await readFile(file(name), 'utf8');
    for (const [value, where] of await secretValues(await connected(), sandbox.catalog))
      assert.ok(!said.includes(value), where);
    const before = await factsOf(await connected());
    await planned('--image', 'worker=9.9.9', '--image', 'schema=9.9.8');
    assert.deepEqual(await factsOf(await connected()), before);
  });

  test('what others have on the cluster is as it was', () => bystander.assertUntouched());

  test('a cluster that was stopped is not planned as an empty one', async () => {
    cluster?.close();
    cluster = undefined;
    assert.equal((await sandbox.look(['down'])).code, 0);
    const run = await sandbox.look(['plan']);
    assert.equal(run.code, 3);
    assert.match(run.stderr, /is not running\. Start it with: npm run ananta -- up/);
  });
});
