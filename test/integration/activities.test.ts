// Real: every activity against a real API server, Helm and Vault, with the faults that each of them has to survive.
import assert from 'node:assert/strict';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApplicationFailure } from '@temporalio/common';
import { clearFailure, failRelease } from '../../bootstrap/cluster/failures.ts';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { clearProbe, failProbe } from '../../bootstrap/responder/index.ts';
import { createActivities } from '../../src/activities/index.ts';
import {
  claimsFrom,
  isReady,
  removeSnapshots,
  snapshotOf,
  takeSnapshots,
} from '../../src/effects/checkpoint/snapshot.ts';
import { commandScope } from '../../src/effects/effect.ts';
import { newestRevision } from '../../src/effects/release/revisions.ts';
import { getSecret, missingSecrets, setSecret } from '../../src/effects/secrets.ts';
import { verifyAll } from '../../src/effects/verify.ts';
import { type Clients, createClients } from '../../src/clients/index.ts';
import { paths } from '../../src/clients/kubernetes/index.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { RunRef } from '../../src/contract/operations/deploy.ts';
import { RELEASE_LABELS } from '../../src/contract/names.ts';
import type { OperationPlan, PlannedService, PlannedStep } from '../../src/contract/operations/plan.ts';
import { findService } from '../../src/plan/releases.ts';
import { wantedSecrets } from '../../src/plan/vault/kubernetes-secrets.ts';
import { type Embedded, openEmbedded } from '../support/embedded.ts';
import { rowOf } from '../support/mini.ts';
import { helmProcesses, waitForProcess } from '../support/programs/processes.ts';
import { defineVolumeSnapshots, serveVolumeSnapshots } from '../support/volume-snapshots.ts';
import { testScope } from '../support/scope.ts';

let embedded: Embedded;
let clients: Clients;
let run: RunRef;
let activities: Activities;
let endSupervision: () => Promise<void>;
const settings = { simulation: { factor: 0.05, startupSeconds: { worker: 160 } } };
/** Runs that the engine would call alive. */
const alive = new Set<string>();

before(async () => {
  embedded = await openEmbedded({
    name: 'parts',
    environment: settings,
    // What somebody sets reaches a Secret, too.
    mini: (platform) =>
      rowOf(platform, 'worker').secrets?.push({ path: 'apps/api', delivery: 'kubernetes', keys: ['mail-api-key'] }),
  });
  endSupervision = embedded.supervise();
  clients = await createClients(embedded.environment, await embedded.connections(), embedded.config, {
    isRunAlive: ({ runId }) => Promise.resolve(alive.has(runId)),
  });
  activities = createActivities(clients, () => testScope());
  const clusterUid = await clients.kubernetes.clusterUid();
  run = {
    environment: 'parts',
    imageTags: {},
    clusterUid,
    workflowId: `deploy/parts/${clusterUid.slice(0, 8)}`,
    runId: 'run-1',
  };
});
after(async () => {
  await endSupervision?.();
  await clients?.close();
  await embedded?.close();
});

async function planned(name: string): Promise<{ service: PlannedService; step: PlannedStep; plan: OperationPlan }> {
  const plan = await activities.makePlan({ run });
  const service = plan.services.find((candidate) => candidate.name === name)!;
  return { plan, service, step: service.steps.find((step) => step.name === name)! };
}

const failureOf =
  (type: string, pattern: RegExp) =>
  (error: unknown): boolean => {
    assert.equal((error as ApplicationFailure).type, type, (error as Error).message);
    assert.match((error as Error).message, pattern);
    return true;
  };

async function apply(name: string, as: RunRef = run): Promise<Awaited<ReturnType<Activities['applyRelease']>>> {
  const { service, step } = await planned(name);
  return activities.applyRelease({ run: as, service: service.name, step, priority: 1 });
}

async function initialiseVault(): Promise<{
  initialized: boolean;
  unsealed: boolean;
  changed: string[];
  seeded: string[];
  synced: string[];
}> {
  const opened = await activities.openVault(run);
  const { changed } = await activities.configureVault(run);
  const { written: seeded } = await activities.seedVault(run);
  const { written: synced } = await activities.syncSecrets(run);
  return { ...opened, changed, seeded, synced };
}

describe('prerequisites', () => {
  test('a plan of an empty cluster installs everything', async () => {
    const { plan } = await planned('vault');
    assert.equal(plan.services.length, embedded.catalog.services.length);
    assert.ok(plan.services.every(({ action }) => action === 'install'));
    assert.equal(plan.prerequisites, true);
  });

  test('namespaces once', async () => {
    assert.equal((await activities.ensureNamespaces(run)).created.length, embedded.catalog.namespaces.length);
    assert.deepEqual((await activities.ensureNamespaces(run)).created, []);
  });

  test('another cluster is refused before anything is touched', async () => {
    const { service, step } = await planned('admin');
    const elsewhere = { ...run, clusterUid: '00000000-0000-0000-0000-000000000000' };
    await assert.rejects(
      activities.applyRelease({ run: elsewhere, service: service.name, step, priority: 1 }),
      failureOf('ClusterMismatch', /Nothing was changed/),
    );
    assert.equal(await newestRevision(clients.kubernetes, step.namespace, step.name), undefined);
  });

  test('another environment is refused', async () => {
    await assert.rejects(
      activities.makePlan({ run: { ...run, environment: 'prod' } }),
      failureOf('InvalidInput', /serves environment "parts"/),
    );
  });

  test('a digest that is no longer the planned one is refused', async () => {
    const { service, step } = await planned('admin');
    await assert.rejects(
      activities.applyRelease({
        run,
        service: service.name,
        step: { ...step, digest: '0000000000000000' },
        priority: 1,
      }),
      failureOf('PlanOutdated', /deploy again/),
    );
  });
});

describe('Vault', () => {
  test('is applied, answers, is opened, configured, seeded; all of it once', async () => {
    const { step } = await planned('vault');
    assert.equal((await apply('vault')).revision, 1);
    assert.match(
      (await activities.awaitHealthy({ run, service: 'vault', step, timeoutSeconds: 60 })).proof,
      /not initialised/,
    );
    const first = await initialiseVault();
    assert.deepEqual([first.initialized, first.unsealed], [true, true]);
    assert.ok(first.changed.includes('root token revoked'), first.changed.join());
    assert.equal(first.seeded.length, clients.catalog.secretPaths.length);
    assert.equal(first.synced.length, wantedSecrets(embedded.catalog).length);
    assert.deepEqual(await initialiseVault(), {
      initialized: false,
      unsealed: false,
      changed: [],
      seeded: [],
      synced: [],
    });
  });

  test('its keys lie in a 0600 file, without the root token', async () => {
    const file = clients.connections.vault.keysFile;
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal('rootToken' in (JSON.parse(await readFile(file, 'utf8')) as object), false);
  });

  test('SIGKILL: sealed again, unsealed by whoever needs it, every secret unchanged', async () => {
    const before_ = await getSecret(clients, 'database/main', 'password');
    await restartVault();
    assert.equal((await clients.vault.state()).state, 'sealed');
    const { service } = await planned('vault');
    assert.match(service.reason, /sealed/);
    assert.deepEqual((await activities.seedVault(run)).written, []);
    assert.equal((await clients.vault.state()).state, 'open');
    assert.equal(await getSecret(clients, 'database/main', 'password'), before_);
  });

  test('sealed and the keys file lost: says what is needed, and never initialises again', async () => {
    const file = clients.connections.vault.keysFile;
    await restartVault();
    await rename(file, `${file}.elsewhere`);
    await assert.rejects(activities.openVault(run), failureOf('VaultKeysMissing', /Restore it from your backup/));
    await rename(`${file}.elsewhere`, file);
    assert.deepEqual(await activities.openVault(run), { initialized: false, unsealed: true });
  });

  test('a role that somebody deleted is made again, with a root token made from the keys and revoked after', async () => {
    await clients.vault.root.run((session) => session.remove('auth/kubernetes/role/ananta-deployer'));
    clients.vault.forgetLogin();
    assert.match((await planned('vault')).service.reason, /Vault lacks something/);
    const { changed } = await activities.configureVault(run);
    assert.deepEqual(changed, ['role ananta-deployer', 'root token revoked']);
    assert.equal((await planned('vault')).service.steps[1]?.action, 'unchanged');
  });

  test('a Secret edited by hand is put right', async () => {
    const path = paths.secret('data', 'vault-database-main');
    const edit = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'vault-database-main', namespace: 'data' },
      data: { password: Buffer.from('by hand').toString('base64') },
    };
    const api = await embedded.api();
    await api.request('PATCH', path, { type: 'application/merge-patch+json', content: edit });
    assert.match((await planned('vault')).service.reason, /edited by hand/);
    assert.deepEqual((await activities.syncSecrets(run)).written, ['data/vault-database-main']);
    assert.deepEqual((await activities.syncSecrets(run)).written, []);
  });

  test('supplied values: set, read, never generated ones', async () => {
    assert.deepEqual(await missingSecrets(clients), []);
    assert.deepEqual(await setSecret(clients, 'apps/api', 'mail-api-key', 'sk-from-a-third-party'), {
      stored: 'vault',
      version: 2,
    });
    assert.equal(await getSecret(clients, 'apps/api', 'mail-api-key'), 'sk-from-a-third-party');
    await assert.rejects(setSecret(clients, 'database/main', 'password', 'x'), /generated and never overwritten/);
    await assert.rejects(getSecret(clients, 'database/main', 'nothing'), /has no key nothing/);
    assert.deepEqual((await activities.syncSecrets(run)).written, ['apps/vault-apps-api']);
  });
});

async function restartVault(): Promise<void> {
  const pidOf = async (): Promise<number | null> =>
    (await embedded.states()).find(({ name }) => name === 'vault')?.pid ?? null;
  const was = await pidOf();
  process.kill(was!, 'SIGKILL');
  for (let i = 0; i < 600; i += 1) {
    await sleep(100);
    if ((await pidOf()) !== was && (await clients.vault.state()).state === 'sealed') return;
  }
  throw new Error('Vault did not come back');
}

describe('releases', () => {
  test('applied, then nothing to do; healthy and marked as proven', async () => {
    const { step } = await planned('admin');
    const first = await apply('admin');
    assert.deepEqual([first.changed, first.revision], [true, 1]);
    // As after a lost acknowledgement: the same run asks again.
    assert.deepEqual(
      [
        (await apply('admin')).revision,
        (await newestRevision(clients.kubernetes, step.namespace, step.name))?.revision,
      ],
      [1, 1],
    );
    assert.match((await planned('admin')).service.reason, /not healthy|has not succeeded/);
    const { proof } = await activities.awaitHealthy({ run, service: 'admin', step, timeoutSeconds: 60 });
    assert.match(proof, /^GET \S+ 200$/);
    const again = await planned('admin');
    assert.deepEqual([again.service.action, again.service.reason], ['unchanged', 'as wanted']);
  });

  test('Helm killed in the middle: its record is removed, what it made is kept', async () => {
    const { service, step } = await planned('database');
    const interrupted = activities.applyRelease({ run, service: service.name, step, priority: 1 });
    interrupted.catch(() => undefined);
    const helm = await Promise.race([
      waitForProcess(() => helmProcesses(clients.connections.stateDir), 60_000),
      interrupted.then(() => undefined),
    ]);
    // Over before anybody saw it.
    if (helm === undefined) return;
    while ((await newestRevision(clients.kubernetes, step.namespace, step.name)) === undefined) await sleep(2);
    try {
      process.kill(helm.pid, 'SIGKILL');
    } catch {
      // It ended after its record had been seen.
    }
    const outcome = await interrupted.then(
      () => 'done',
      (error: unknown) => (error as ApplicationFailure).type,
    );
    if (outcome === 'done') return;
    assert.equal(outcome, 'HelmInterrupted');
    const left = await newestRevision(clients.kubernetes, step.namespace, step.name);
    assert.equal(left?.status, 'pending-install');
    const made = await clients.kubernetes.list(paths.statefulSets(step.namespace));
    const recovered = await activities.applyRelease({ run, service: service.name, step, priority: 1 });
    assert.match(recovered.recovered ?? '', /pending-install/);
    assert.equal(recovered.revision, 1);
    const now = await clients.kubernetes.list(paths.statefulSets(step.namespace));
    for (const { metadata } of made.items)
      assert.equal(now.items.find((other) => other.metadata.name === metadata.name)?.metadata.uid, metadata.uid);
  });

  test('pending, written by a run that is alive: waits and names it; by nobody of ours: never touched', async () => {
    const { step } = await planned('operator');
    assert.equal((await apply('operator')).revision, 1);
    const found = await newestRevision(clients.kubernetes, step.namespace, step.name);
    const path = paths.secret(step.namespace, found!.secret.name);
    alive.add('run-other');
    await clients.kubernetes.label(path, { status: 'pending-upgrade', [RELEASE_LABELS.run]: 'run-other' });
    const next = { ...run, runId: 'run-2' };
    const attempt = (): Promise<unknown> =>
      activities.applyRelease({
        run: next,
        service: 'operator',
        step: { ...step, action: 'retry' },
        priority: 1,
      });
    await assert.rejects(attempt(), failureOf('ReleaseBusy', /run run-other .* is at work on it/));
    const api = await embedded.api();
    await api.request('PATCH', path, {
      type: 'application/merge-patch+json',
      content: { metadata: { labels: { [RELEASE_LABELS.run]: null } } },
    });
    await assert.rejects(attempt(), failureOf('ReleaseBusy', /no deployment of ours wrote it.*helm rollback operator/));
    assert.equal((await newestRevision(clients.kubernetes, step.namespace, step.name))?.status, 'pending-upgrade');
    await clients.kubernetes.label(path, { status: 'deployed', [RELEASE_LABELS.run]: 'run-1' });
  });

  test('cancelled while Helm is at work: Helm has ended before the activity has', async () => {
    const { service, step } = await planned('storage');
    const scope = testScope();
    const own = createActivities(clients, () => scope);
    const cancelled = own.applyRelease({ run, service: service.name, step, priority: 1 });
    await Promise.race([waitForProcess(() => helmProcesses(clients.connections.stateDir), 60_000), cancelled]);
    scope.cancel();
    // A Helm that ends within a moment may finish.
    assert.equal((await cancelled).changed, true);
    assert.deepEqual(await helmProcesses(clients.connections.stateDir), []);
    assert.equal((await newestRevision(clients.kubernetes, step.namespace, step.name))?.status, 'deployed');
    assert.equal((await apply('storage')).revision, 1);
  });

  test('a service that runs but does not work is not healthy, and the next plan does not skip it', async () => {
    const { step } = await planned('database');
    await failProbe(embedded.layout.failures, 'database', 'unhealthy');
    await assert.rejects(
      activities.awaitHealthy({ run, service: 'database', step, timeoutSeconds: 3 }),
      failureOf('NotHealthyInTime', /pg_isready exited 1/),
    );
    assert.equal((await planned('database')).step.action, 'verify');
    await clearProbe(embedded.layout.failures, 'database');
    assert.equal(
      (await activities.awaitHealthy({ run, service: 'database', step, timeoutSeconds: 30 })).proof,
      'pg_isready exited 0',
    );
    assert.equal((await planned('database')).step.action, 'unchanged');
  });

  test('a Job that failed is JobFailed with its reason, its evidence is kept, and a retry makes it anew', async () => {
    const api = await embedded.api();
    await failRelease(api, 'schema', 'job-failed');
    const { service, step } = await planned('schema');
    await activities.applyRelease({ run, service: service.name, step, priority: 1 });
    // Without its retries, which take minutes.
    await api.request('PATCH', paths.job(step.namespace, `${step.name}-${step.digest.slice(0, 8)}`), {
      type: 'application/merge-patch+json',
      content: { spec: { backoffLimit: 0 } },
    });
    await assert.rejects(
      activities.awaitHealthy({ run, service: service.name, step, timeoutSeconds: 60 }),
      failureOf('JobFailed', /Job failed: .*; pod schema-/),
    );
    const { evidence, summary } = await activities.collectEvidence({ run, service, reason: 'its Job failed' });
    assert.match(await readFile(evidence!, 'utf8'), /### Events\n.*Job/s);
    assert.ok(summary!.length > 0 && summary!.length <= 8);

    await clearFailure(api, 'schema');
    const next = { ...run, runId: 'run-3' };
    const again = await planned('schema');
    assert.equal(again.step.action, 'retry');
    const applied = await activities.applyRelease({ run: next, service: service.name, step: again.step, priority: 1 });
    assert.equal(applied.changed, true);
    assert.equal(
      (await activities.awaitHealthy({ run: next, service: service.name, step: again.step, timeoutSeconds: 60 })).proof,
      'Job completed',
    );
    assert.match(
      await readFile(join(clients.connections.stateDir, 'evidence', 'run-3', 'schema-before-retry.txt'), 'utf8'),
      /had failed and is replaced/,
    );
  });
});

describe('health', () => {
  test('the API server is killed during a wait: no false failure, the time does not count', async () => {
    const { step } = await planned('worker');
    await apply('worker');
    // Its pod takes 8 s to start.
    const waiting = activities.awaitHealthy({ run, service: 'worker', step, timeoutSeconds: 60 });
    await sleep(1000);
    process.kill((await embedded.states()).find(({ name }) => name === 'kube-apiserver')!.pid!, 'SIGKILL');
    await waitUntil(
      'its end is noticed',
      { timeoutMs: 30_000, intervalMs: 5 },
      async () => !clients.kubernetes.watches.live() || undefined,
    );
    assert.match((await waiting).proof, /TCP 8081/);
    for (const deadline = Date.now() + 60_000; !clients.kubernetes.watches.live(); ) {
      assert.ok(Date.now() < deadline, 'the watches never went on');
      await sleep(50);
    }
  });

  test('a pod that never gets ready is named with container and reason', async () => {
    const api = await embedded.api();
    const { step } = await planned('auth');
    await failRelease(api, 'auth', 'image-pull');
    await apply('auth');
    await waitUntil('auth waits for its image', { timeoutMs: 20_000 }, async () => {
      // Again, since the simulator may have chosen the pod's next stage before it knew of the failure.
      await failRelease(api, 'auth', 'image-pull');
      const { items } = await clients.kubernetes.list(paths.pods(step.namespace), {
        labelSelector: 'app.kubernetes.io/instance=auth',
      });
      return JSON.stringify(items).includes('ImagePullBackOff') || undefined;
    });
    await assert.rejects(
      activities.awaitHealthy({ run, service: 'auth', step, timeoutSeconds: 5 }),
      failureOf('NotHealthyInTime', /not healthy within 5 s: .*0\/1.*pod auth-\S+, container \S+: ImagePullBackOff/),
    );
    await clearFailure(api, 'auth');
    await activities.awaitHealthy({ run, service: 'auth', step, timeoutSeconds: 60 });
  });

  test('verify asks every service now', async () => {
    await failProbe(embedded.layout.failures, 'admin', 'unhealthy');
    const rows = new Map((await verifyAll(clients)).map((row) => [row.service, row]));
    assert.equal(rows.size, embedded.catalog.services.length);
    assert.deepEqual(
      [rows.get('vault')?.healthy, rows.get('storage')?.healthy, rows.get('admin')?.healthy],
      [true, true, false],
    );
    assert.match(rows.get('admin')!.reason, /503/);
    assert.match(rows.get('web')!.reason, /not deployed/);
    await clearProbe(embedded.layout.failures);
  });

  test('heartbeats go on, and a new attempt continues where the last one left off', async () => {
    const { step } = await planned('auth');
    await failProbe(embedded.layout.failures, 'auth', 'unhealthy');
    const scope = testScope({ spentSeconds: 58, status: 'x' });
    const own = createActivities(clients, () => scope);
    const began = performance.now();
    await assert.rejects(
      own.awaitHealthy({ run, service: 'auth', step, timeoutSeconds: 60 }),
      failureOf('NotHealthyInTime', /within 6\d s/),
    );
    assert.ok(performance.now() - began < 30_000);
    assert.ok(scope.beats.length >= 2);
    await clearProbe(embedded.layout.failures);
  });
});

describe('more servers of Vault', () => {
  const configure = (more: object): Promise<void> =>
    writeFile(
      join(embedded.config.environmentsDir, 'parts.yaml'),
      JSON.stringify({
        description: 'Made by a test',
        extends: 'sandbox',
        platform: embedded.environment.platform,
        ...settings,
        ...more,
      }),
    );
  const pods = async (): Promise<Map<string, { uid: string; revision: string }>> => {
    const { items } = await clients.kubernetes.list(paths.pods('vault-system'), {
      labelSelector: 'app.kubernetes.io/instance=vault',
    });
    return new Map(
      items.map(({ metadata: { name, uid, labels } }) => [
        name,
        { uid, revision: labels?.['controller-revision-hash'] ?? '' },
      ]),
    );
  };
  const revisions = async (): Promise<number> =>
    new Set([...(await pods()).values()].map(({ revision }) => revision)).size;

  test('one grows to three; its own pod is replaced since its template changed', async () => {
    const [first] = [...(await pods()).values()];
    await configure({ vault: { replicas: 3 } });
    const { service, step } = await planned('vault');
    assert.deepEqual(
      service.steps.map(({ action }) => action),
      ['upgrade', 'verify'],
    );
    await apply('vault');
    await activities.awaitHealthy({ run, service: 'vault', step, timeoutSeconds: 60 });
    await retried(() => activities.openVault(run));
    const now = await pods();
    assert.deepEqual([...now.keys()].sort(), ['vault-0', 'vault-1', 'vault-2']);
    assert.notEqual(now.get('vault-0')?.uid, first?.uid);
    assert.equal(await revisions(), 1);
    const nodes = new Set(
      (
        await clients.kubernetes.list(paths.pods('vault-system'), { labelSelector: 'app.kubernetes.io/instance=vault' })
      ).items.map((pod) => (pod as { spec?: { nodeName?: string } }).spec?.nodeName),
    );
    assert.equal(nodes.size, 3, 'each on a node of its own');
  });

  test('a changed template replaces all, an unchanged one none; until then a plan says so', async () => {
    const before = await pods();
    await configure({ vault: { replicas: 3 }, resources: { vault: { requests: { cpu: '150m', memory: '256Mi' } } } });
    await apply('vault');
    const { service } = await planned('vault');
    assert.deepEqual(service.steps.map(({ name, action, reason }) => [name, action, reason]).at(1), [
      'vault-init',
      'upgrade',
      '3 of 3 pods run an older template: they are replaced one by one, each unsealed before the next',
    ]);
    await retried(() => activities.openVault(run));
    const after = await pods();
    assert.deepEqual(
      [...before].filter(([name, { uid }]) => after.get(name)?.uid === uid),
      [],
    );
    assert.equal(await revisions(), 1);
    await retried(() => activities.openVault(run));
    assert.deepEqual(await pods(), after);
  });

  test('fewer again: those that go leave raft before the release is applied', async () => {
    await configure({});
    const { service, plan } = await planned('vault');
    assert.deepEqual(service.steps[0]?.leaving, ['vault-2', 'vault-1']);
    const own = (plan.steps ?? []).filter(({ id }) => id.endsWith('/vault-system/vault')).map(({ kind }) => kind);
    assert.deepEqual(own, ['raft-remove-peer', 'apply', 'verify']);
  });
});

/** Retries as the engine does, until it succeeds. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === 20 || !['Unreachable', 'VaultSealed'].includes((error as ApplicationFailure).type ?? ''))
        throw error;
      await sleep(500);
    }
  }
}

test('volumes are kept by snapshots, waited for, made claims of and removed again', async () => {
  const { kubernetes } = clients;
  const server = 'vault';
  const { namespace } = findService(clients.catalog, server);
  const scope = commandScope(new AbortController().signal);
  const request = { checkpoint: 'checkpoint-parts-1', server, className: 'any' };
  await assert.rejects(takeSnapshots(clients, request, scope), /This cluster knows no VolumeSnapshot/);
  await defineVolumeSnapshots(kubernetes);
  const serving = new AbortController();
  const controller = serveVolumeSnapshots(kubernetes, namespace, serving.signal);
  try {
    const snapshots = await takeSnapshots(clients, request, scope, 50);
    assert.ok(snapshots.length > 0 && snapshots.every(({ size }) => size === '1Gi'));
    assert.deepEqual(await takeSnapshots(clients, request, scope, 50), snapshots, 'begun again');
    for (const one of snapshots) assert.ok(isReady((await snapshotOf(kubernetes, one))!));
    const claims = await claimsFrom(clients, { snapshots }, 'restored-1', scope.signal);
    assert.equal(claims.length, snapshots.length);
    for (const claim of claims) {
      const path = `${paths.persistentVolumeClaims(namespace)}/${claim.split('/')[1]!}`;
      const { spec } = (await kubernetes.get(path)) as unknown as { spec: { dataSource: { kind: string } } };
      assert.equal(spec.dataSource.kind, 'VolumeSnapshot');
      await kubernetes.remove(path);
    }
    await removeSnapshots(kubernetes, [{ ...snapshots[0]!, uid: 'of-somebody-else' }]);
    assert.notEqual(await snapshotOf(kubernetes, snapshots[0]!), undefined);
    await removeSnapshots(kubernetes, snapshots);
    assert.deepEqual((await kubernetes.list(paths.volumeSnapshots(namespace))).items, []);
  } finally {
    serving.abort();
    await controller;
    await kubernetes.remove(paths.customResourceDefinition('volumesnapshots.snapshot.storage.k8s.io'));
  }
});

test('no secret value in what the parts have written', async () => {
  const value = (await getSecret(clients, 'database/main', 'password'))!;
  const files = (await readdir(clients.connections.stateDir, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile() && /\.(log|txt|json|jsonl)$/.test(entry.name),
  );
  assert.ok(files.length > 5);
  for (const file of files)
    assert.equal((await readFile(join(file.parentPath, file.name))).includes(value), false, file.name);
});

test('the audit trail has one line a run', async () => {
  const entry = {
    run,
    operation: 'deploy' as const,
    requestedBy: 'somebody@here',
    planDigest: 'abc',
    outcome: 'succeeded',
    seconds: 1,
  };
  await activities.recordResult(entry);
  await activities.recordResult(entry);
  const lines = (await readFile(join(clients.connections.stateDir, 'audit.jsonl'), 'utf8')).trim().split('\n');
  assert.equal(lines.length, 1);
  assert.deepEqual((JSON.parse(lines[0]!) as { requestedBy: string }).requestedBy, 'somebody@here');
});
