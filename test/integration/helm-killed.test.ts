// Real: Helm killed during a rollback and during a cancellation, and Helm that cannot write its record; no release
// stays locked, and no object that it made is lost.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApplicationFailure } from '@temporalio/common';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { createActivities } from '../../src/activities/index.ts';
import { newestRevision, revisionsOf } from '../../src/effects/release/revisions.ts';
import { type Clients, createClients } from '../../src/clients/index.ts';
import { paths } from '../../src/clients/kubernetes/index.ts';
import type { Activities, ApplyReleaseResult } from '../../src/contract/activities.ts';
import type { RunRef } from '../../src/contract/operations/deploy.ts';
import { RELEASE_LABELS } from '../../src/contract/names.ts';
import type { PlannedStep } from '../../src/contract/operations/plan.ts';
import { type Embedded, openEmbedded } from '../support/embedded.ts';
import { helmProcesses, processes, waitForProcess } from '../support/programs/processes.ts';
import type { Attempt } from '../support/workers/release-worker.ts';
import { testScope } from '../support/scope.ts';

const SERVICE = 'admin';
const NAMESPACE = 'apps';

/** @returns a Helm that stops before it begins to change something, until it is continued: it cannot be missed */
async function stoppingHelm(path: string, helm: string): Promise<string> {
  const script = [
    '#!/bin/sh',
    'for word in "$@"; do',
    '  case "$word" in upgrade | rollback) kill -STOP $$; break ;; esac',
    'done',
    `exec '${helm}' "$@"`,
  ];
  await writeFile(path, `${script.join('\n')}\n`, { mode: 0o755 });
  return path;
}

const rollbackTo = (toRevision: number, digest: string): PlannedStep => ({
  kind: 'release',
  name: SERVICE,
  namespace: NAMESPACE,
  job: false,
  action: 'rollback',
  reason: 'back',
  digest,
  toRevision,
});

describe('Helm killed', { concurrency: 1 }, () => {
  let embedded: Embedded;
  let clients: Clients;
  let activities: Activities;
  let run: RunRef;
  let uid: string;

  before(async () => {
    embedded = await openEmbedded({ name: 'killed', environment: { platform: 'mini', simulation: { factor: 0.05 } } });
    clients = await createClients(embedded.environment, await embedded.connections(), embedded.config, {
      isRunAlive: () => Promise.resolve(false),
    });
    activities = createActivities(clients, () => testScope());
    const clusterUid = await clients.kubernetes.clusterUid();
    run = {
      environment: 'killed',
      imageTags: {},
      clusterUid,
      workflowId: `deploy/killed/${clusterUid.slice(0, 8)}`,
      runId: 'run-1',
    };
    await activities.ensureNamespaces(run);
    await activities.applyRelease({ run, service: SERVICE, step: await planned(run), priority: 1 });
    uid = (await workload()).uid;
  });
  after(async () => {
    await clients?.close();
    await embedded?.close();
  });

  async function planned(as: RunRef): Promise<PlannedStep> {
    return (await activities.makePlan({ run: as })).services.find(({ name }) => name === SERVICE)!.steps[0]!;
  }

  async function workload(): Promise<{ uid: string; image: string }> {
    const found = (await clients.kubernetes.get(`${paths.deployments(NAMESPACE)}/${SERVICE}`)) as unknown as {
      metadata: { uid: string };
      spec: { template: { spec: { containers: { image: string }[] } } };
    };
    return { uid: found.metadata.uid, image: found.spec.template.spec.containers[0]!.image };
  }

  const newest = (): ReturnType<typeof newestRevision> => newestRevision(clients.kubernetes, NAMESPACE, SERVICE);

  /**
   * Stopped again and again until its pending record is there, so that it cannot be missed. @returns its process, which
   * is stopped
   */
  async function stoppedInTheMiddle(): Promise<number> {
    const { pid } = await waitForProcess(() => helmProcesses(clients.connections.stateDir), 60_000);
    return stoppedOnceItWrites(pid);
  }

  async function stoppedOnceItWrites(pid: number): Promise<number> {
    for (;;) {
      process.kill(pid, 'SIGSTOP');
      if ((await newest())?.status.startsWith('pending-') === true) return pid;
      process.kill(pid, 'SIGCONT');
      await sleep(5);
    }
  }

  test('in the middle of a rollback: the next attempt removes its record and brings the revision back', async () => {
    const upgrade: RunRef = { ...run, runId: 'run-2', imageTags: { [SERVICE]: '9.9.9' } };
    assert.equal(
      (await activities.applyRelease({ run: upgrade, service: SERVICE, step: await planned(upgrade), priority: 1 }))
        .revision,
      2,
    );
    const before = await workload();
    assert.match(before.image, /:9\.9\.9$/);

    const back: RunRef = { ...run, runId: 'run-3' };
    const digest = (await revisionsOf(clients.kubernetes, NAMESPACE, SERVICE))[0]!.labels[RELEASE_LABELS.digest]!;
    const step = rollbackTo(1, digest);
    const interrupted = activities.applyRelease({ run: back, service: SERVICE, step, priority: 1 }).then(
      () => 'done',
      (error: unknown) => (error as ApplicationFailure).type,
    );
    process.kill(await stoppedInTheMiddle(), 'SIGKILL');
    assert.equal(await interrupted, 'HelmInterrupted');
    assert.deepEqual([(await newest())?.revision, (await newest())?.status], [3, 'pending-rollback']);

    const { revision, recovered } = await activities.applyRelease({ run: back, service: SERVICE, step, priority: 1 });
    assert.equal(revision, 3);
    assert.match(recovered ?? '', /revision 3 was left pending-rollback/);
    const now = await newest();
    assert.deepEqual(
      [now?.status, now?.labels[RELEASE_LABELS.run], now?.labels[RELEASE_LABELS.digest]],
      ['deployed', 'run-3', digest],
    );
    const restored = await workload();
    assert.equal(restored.uid, uid);
    assert.notEqual(restored.image, before.image);
    // A lost acknowledgement: the same once more is the same.
    assert.equal((await activities.applyRelease({ run: back, service: SERVICE, step, priority: 1 })).revision, 3);
  });

  test('in the middle of a cancellation: the run itself frees the release before the lock is free, and the next deployment goes on', async () => {
    const upgrade: RunRef = { ...run, runId: 'run-4', imageTags: { [SERVICE]: '9.9.10' } };
    const scope = testScope();
    const step = await planned(upgrade);
    const cancelled = createActivities(clients, () => scope).applyRelease({
      run: upgrade,
      service: SERVICE,
      step,
      priority: 1,
    });
    cancelled.catch(() => undefined);
    // It is asked to end while it is stopped, and killed before it can.
    const pid = await stoppedInTheMiddle();
    scope.cancel();
    process.kill(pid, 'SIGKILL');
    await assert.rejects(cancelled, { name: 'CancelledFailure' });
    assert.deepEqual([(await newest())?.revision, (await newest())?.status], [4, 'pending-upgrade']);

    const { settled } = await activities.settleReleases({
      run: upgrade,
      releases: [{ namespace: NAMESPACE, name: SERVICE }],
    });
    assert.equal(settled.length, 1);
    assert.deepEqual([(await newest())?.revision, (await newest())?.status], [3, 'deployed']);
    assert.equal((await workload()).uid, uid);
    const next: RunRef = { ...upgrade, runId: 'run-5' };
    assert.equal(
      (await activities.applyRelease({ run: next, service: SERVICE, step: await planned(next), priority: 1 })).revision,
      4,
    );
    assert.match((await workload()).image, /:9\.9\.10$/);
  });

  describe('of two workers with a state folder each', () => {
    let state: string;
    before(async () => {
      state = await mkdtemp(join(tmpdir(), 'ananta-other-state-'));
    });
    after(() => rm(state, { recursive: true, force: true }));

    /** The other worker, while its Helm stands still in the middle; the next attempt is ours. */
    async function other(
      as: RunRef,
      step: PlannedStep,
    ): Promise<{
      worker: ChildProcess;
      helm: number;
      output: Promise<string>;
      again: () => Promise<ApplyReleaseResult>;
    }> {
      const input = { run: as, service: SERVICE, step, priority: 1 };
      const program = new URL('../support/workers/release-worker.ts', import.meta.url).pathname;
      const worker = spawn(process.execPath, [...process.execArgv, program], { stdio: ['pipe', 'pipe', 'inherit'] });
      const { environment, config } = embedded;
      const helm = await stoppingHelm(join(state, 'stopping-helm'), clients.connections.helm ?? 'helm');
      const connections = { ...clients.connections, stateDir: state, helm };
      worker.stdin.end(JSON.stringify({ environment, config, connections, input } satisfies Attempt));
      const again = createActivities(clients, () => ({ ...testScope(), attempt: 2 })).applyRelease;
      const output = text(worker.stdout);
      const { pid } = await waitForProcess(
        async () => (await processes()).filter(({ args: [, script] }) => script === helm),
        60_000,
      );
      process.kill(pid, 'SIGCONT');
      return { worker, output, helm: await stoppedOnceItWrites(pid), again: () => again(input) };
    }

    const numbers = async (): Promise<number[]> =>
      (await revisionsOf(clients.kubernetes, NAMESPACE, SERVICE)).map(({ revision }) => revision);

    test('one is killed: its Helm finishes, and the other adopts what it did', async () => {
      const upgrade: RunRef = { ...run, runId: 'run-7', imageTags: { [SERVICE]: '9.9.11' } };
      const before = await numbers();
      const { worker, helm, again } = await other(upgrade, await planned(upgrade));
      worker.kill('SIGKILL');
      await once(worker, 'exit');
      const adopted = again();
      await sleep(500);
      assert.match((await newest())?.status ?? '', /^pending-/);
      process.kill(helm, 'SIGCONT');
      const { changed, revision, recovered } = await adopted;
      assert.deepEqual([changed, revision], [true, before.at(-1)! + 1]);
      assert.match(recovered ?? '', /^a Helm that outlived its worker \(process \d+\) has finished$/);
      assert.deepEqual(await numbers(), [...before, revision]);
      assert.deepEqual([(await newest())?.status, (await newest())?.labels[RELEASE_LABELS.run]], ['deployed', 'run-7']);
      assert.match((await workload()).image, /:9\.9\.11$/);
      assert.deepEqual(await helmProcesses(state), []);
    });

    test('one is killed in a rollback: that is adopted, too', async () => {
      const back: RunRef = { ...run, runId: 'run-8' };
      const [first] = await revisionsOf(clients.kubernetes, NAMESPACE, SERVICE);
      const digest = first!.labels[RELEASE_LABELS.digest]!;
      const before = await numbers();
      const { worker, helm, again } = await other(back, rollbackTo(first!.revision, digest));
      worker.kill('SIGKILL');
      await once(worker, 'exit');
      const adopted = again();
      await sleep(500);
      process.kill(helm, 'SIGCONT');
      const { revision, recovered } = await adopted;
      assert.match(recovered ?? '', /has finished$/);
      assert.deepEqual(await numbers(), [...before, revision]);
      const { status, labels } = (await newest())!;
      assert.deepEqual(
        [status, labels[RELEASE_LABELS.run], labels[RELEASE_LABELS.digest]],
        ['deployed', 'run-8', digest],
      );
    });

    test('one stands still: its Helm is left alone while it works, and what it did counts for both', async () => {
      const upgrade: RunRef = { ...run, runId: 'run-9', imageTags: { [SERVICE]: '9.9.12' } };
      const before = await numbers();
      const { worker, helm, output, again } = await other(upgrade, await planned(upgrade));
      worker.kill('SIGSTOP');
      await assert.rejects(again(), ({ type, message }: ApplicationFailure) => {
        assert.equal(type, 'ReleaseBusy');
        assert.match(message, new RegExp(`for worker ${worker.pid} of this machine, which lives`));
        return true;
      });
      process.kill(helm, 'SIGCONT');
      await waitUntil(
        'the end of its Helm',
        { timeoutMs: 30_000 },
        async () => (await helmProcesses(state)).length === 0 || undefined,
      );
      const { revision } = await again();
      worker.kill('SIGCONT');
      assert.equal((JSON.parse(await output) as ApplyReleaseResult).revision, revision);
      assert.deepEqual(await numbers(), [...before, revision]);
      assert.match((await workload()).image, /:9\.9\.12$/);
    });
  });

  test('Helm ends well, but its record stays pending: the step is not done, and the next attempt adopts what it made', async () => {
    const service = 'storage';
    const asked: RunRef = { ...run, runId: 'run-6' };
    const { namespace, ...step } = (await activities.makePlan({ run: asked })).services.find(
      ({ name }) => name === service,
    )!.steps[0]!;
    const newestOfIt = (): ReturnType<typeof newestRevision> =>
      newestRevision(clients.kubernetes, namespace, step.name);
    const workloadUid = async (): Promise<string> =>
      (
        await clients.kubernetes.list(paths.statefulSets(namespace), {
          labelSelector: `app.kubernetes.io/instance=${step.name}`,
        })
      ).items[0]!.metadata.uid;
    const allow = await refuseRecords();
    try {
      await assert.rejects(
        activities.applyRelease({ run: asked, service, step: { ...step, namespace }, priority: 1 }),
        ({ type, message }: ApplicationFailure) => {
          assert.equal(type, 'HelmInterrupted');
          assert.match(message, /has applied \S+ in \S+ and could not record it: revision 1 is pending-install/);
          return true;
        },
      );
    } finally {
      await allow();
    }
    const made = await workloadUid();
    const { revision, recovered } = await activities.applyRelease({
      run: asked,
      service,
      step: { ...step, namespace },
      priority: 1,
    });
    assert.deepEqual([revision, (await newestOfIt())?.status, await workloadUid()], [1, 'deployed', made]);
    assert.match(recovered ?? '', /revision 1 was left pending-install/);
  });

  /** The API server lets nobody record a revision as deployed. @returns takes that back */
  async function refuseRecords(): Promise<() => Promise<void>> {
    const known = (await newest())!.secret;
    const allowed = (): Promise<boolean> =>
      clients.kubernetes.label(paths.secret(known.namespace, known.name), { tried: String(Date.now()) }).then(
        () => true,
        () => false,
      );
    const until = (state: boolean): Promise<true> =>
      waitUntil(
        'the effect of the policy',
        { timeoutMs: 30_000 },
        async () => (await allowed()) === state || undefined,
      );
    const api = '/apis/admissionregistration.k8s.io/v1';
    const head = (kind: string): object => ({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind,
      metadata: { name: 'no-records' },
    });
    await clients.kubernetes.create(`${api}/validatingadmissionpolicies`, {
      ...head('ValidatingAdmissionPolicy'),
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['secrets'] }],
        },
        validations: [
          {
            expression:
              "!has(object.metadata.labels) || !('status' in object.metadata.labels) || object.metadata.labels['status'] != 'deployed'",
            message: 'not now',
          },
        ],
      },
    });
    await clients.kubernetes.create(`${api}/validatingadmissionpolicybindings`, {
      ...head('ValidatingAdmissionPolicyBinding'),
      spec: { policyName: 'no-records', validationActions: ['Deny'] },
    });
    await until(false);
    return async () => {
      await clients.kubernetes.remove(`${api}/validatingadmissionpolicybindings/no-records`);
      await clients.kubernetes.remove(`${api}/validatingadmissionpolicies/no-records`);
      await until(true);
    };
  }
});
