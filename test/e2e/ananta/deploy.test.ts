/** The Ananta Platform deployed whole, from a clean state: a user's first hour, then drift of what only it has. */
import assert from 'node:assert/strict';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { KubernetesClient } from '../../../src/clients/kubernetes/index.ts';
import { readConfig } from '../../../src/config.ts';
import { type Bystander, plantBystander } from '../../support/sandbox/bystander.ts';
import { clusterOf, type Facts, factsOf, kubeconfigOf } from '../../support/sandbox/cluster-facts.ts';
import { processesOf } from '../../support/programs/processes.ts';
import {
  type CliRun,
  createSandbox,
  failuresOf,
  type ResultLine,
  resultOf,
  type Sandbox,
} from '../../support/sandbox/sandbox.ts';
import { driftTests } from './drift.ts';
import { noPictures, shownInTheUi } from './temporal-ui.ts';

/**
 * Commands of the README that change something: each has tests of its own (this file, rollback, cancel, destroy,
 * steering).
 */
const CHANGES = ['rollback', 'cancel', 'destroy', 'down', 'pause'];

/** One sandbox: the order of these tests is the order of that hour. */
describe('a sandbox from a clean state', { concurrency: 1 }, () => {
  let sandbox: Sandbox;
  let cluster: KubernetesClient | undefined;
  let run: CliRun;
  let first: ResultLine;
  let facts: Facts;
  let bystander: Bystander;
  const connected = async (): Promise<KubernetesClient> => (cluster ??= await clusterOf(sandbox));
  before(async () => {
    sandbox = await createSandbox({
      // Two replicas, so that there is a disruption budget.
      replicas: { services: { 'tenant-management-service': 2 } },
      // Drift is looked for when a test asks for it.
      drift: { everySeconds: 86_400 },
    });
  });
  after(async () => {
    cluster?.close();
    await sandbox.close();
  });

  test('deploys all services', async () => {
    run = await sandbox.cli(['deploy', '--json']);
    first = resultOf(run);
    assert.equal(first.outcome, 'succeeded', failuresOf(run));
    assert.equal(run.code, 0);
    assert.equal(first.services.length, sandbox.catalog.services.length);
    const jobs = new Set(
      sandbox.catalog.services.filter((service) => service.kind === 'job').map((service) => service.name),
    );
    for (const service of first.services)
      assert.equal(service.state, jobs.has(service.name) ? 'completed' : 'healthy', service.name);
    assert.ok(
      run.lines.every((line) => typeof line.type === 'string'),
      'standard output holds events only',
    );
    assert.equal(run.stdout.trim().split('\n').length, run.lines.length, 'every line of standard output is an event');
    bystander = await plantBystander(await connected(), {
      kubeconfig: await kubeconfigOf(sandbox),
      folder: sandbox.folder,
      within: ['app-plane'],
      owned: true,
    });
    facts = await factsOf(await connected());
    for (const [release, revisions] of Object.entries(facts.releases))
      assert.deepEqual(revisions, ['1:deployed'], release);
    for (const [job, { pods, succeeded }] of Object.entries(facts.jobs))
      assert.deepEqual({ pods, succeeded }, { pods: 1, succeeded: 1 }, job);
  });

  test('the Temporal UI shows the finished deployment', { skip: noPictures ?? false }, () =>
    shownInTheUi(sandbox, run),
  );

  test('no service started before what it depends on was healthy', async () => {
    const attached = await sandbox.look(['attach', '--json']);
    const healthyAt = new Map<string, number>();
    const startedAt = new Map<string, number>();
    for (const line of attached.lines) {
      if (line.type !== 'service') continue;
      const at = Date.parse(String(line['at']));
      const name = String(line['name']);
      if (['healthy', 'completed'].includes(String(line['state']))) healthyAt.set(name, at);
      else if (!startedAt.has(name)) startedAt.set(name, at);
    }
    for (const service of sandbox.catalog.services) {
      for (const dependency of service.dependsOn) {
        assert.ok(
          (startedAt.get(service.name) ?? 0) >= (healthyAt.get(dependency) ?? Infinity),
          `${service.name} started before ${dependency} was healthy`,
        );
      }
    }
  });

  test('a second run changes nothing and says so', async () => {
    const second = await sandbox.deploy();
    assert.equal(second.outcome, 'unchanged');
    assert.ok(second.services.every((service) => service.state === 'unchanged' && !service.changed));
    assert.deepEqual(await factsOf(await connected()), facts);
  });

  test('verify finds everything healthy', async () => {
    const good = await sandbox.look(['verify']);
    assert.equal(good.code, 0, good.stdout + good.stderr);
  });

  test('another image tag upgrades that service alone', async () => {
    const result = await sandbox.deploy('--image', 'django-backend=9.9.9');
    assert.equal(result.outcome, 'succeeded');
    assert.deepEqual(
      result.services.filter((service) => service.changed).map((service) => service.name),
      ['django-backend'],
    );
    const now = await factsOf(await connected());
    assert.deepEqual(now.releases['app-plane/django-backend'], ['1:superseded', '2:deployed']);
    assert.deepEqual(
      { ...now.releases, 'app-plane/django-backend': [] },
      { ...facts.releases, 'app-plane/django-backend': [] },
    );
  });

  test('status knows it without any running command', async () => {
    const status = await sandbox.look(['status', '--json']);
    assert.equal(status.code, 0, status.stderr);
  });

  test('every command of the README that only looks is run, as it stands there', async () => {
    const readme = await readFile(join(readConfig({}).repoRoot, 'README.md'), 'utf8');
    const commands = [...readme.matchAll(/^\| `npm run ananta -- ([^`]+)` \|/gm)].map(([, command]) =>
      command!.split(' '),
    );
    const looks = commands.filter(([command]) => !CHANGES.includes(command!));
    assert.ok(looks.length >= 10, commands.join('\n'));
    for (const command of looks) {
      // What is written goes into the test's own folder.
      const out = command.indexOf('--out') + 1;
      const args = command.map((word, index) => (index === out && out > 0 ? join(sandbox.folder, word) : word));
      const ran = await sandbox.look(
        command[0] === 'report' ? [...args, '--out', join(sandbox.folder, 'report.html')] : args,
      );
      assert.ok(ran.code === 0 || ran.code === 2, `${command.join(' ')}: ${ran.code}\n${ran.stderr}`);
      assert.notEqual(ran.stdout + ran.stderr, '', command.join(' '));
    }
  });

  test('a sealed Vault without its keys is refused, nothing touched; with the keys it goes on', async () => {
    const before = await factsOf(await connected());
    const keys = join(sandbox.state, 'vault-keys.json');
    process.kill(await sandbox.pidOf('vault'), 'SIGKILL');
    await rename(keys, `${keys}.safe`);
    const refused = await sandbox.cli(['deploy', '--json']);
    assert.equal(refused.code, 3, refused.stdout + refused.stderr);
    assert.match(refused.stderr, /vault-keys\.json/);
    assert.deepEqual(await factsOf(await connected()), before);
    await rename(`${keys}.safe`, keys);
    const result = await sandbox.deploy();
    assert.notEqual(result.outcome, 'failed');
    assert.deepEqual((await factsOf(await connected())).secrets, before.secrets);
  });

  test('what others have on the cluster is as it was', async () => {
    await bystander.assertUntouched();
    // Objects that it has in a namespace of ours would be found as drift.
    await bystander.leave();
  });

  describe('drift', { concurrency: 1 }, () => {
    before(async () => {
      assert.notEqual((await sandbox.deploy()).outcome, 'failed', 'the image that the catalog names');
    });
    driftTests(() => sandbox);
  });

  test('down leaves no process behind', async () => {
    const down = await sandbox.cli(['down']);
    assert.equal(down.code, 0, down.stderr);
    assert.deepEqual(await processesOf(sandbox.folder), []);
  });
});
