/**
 * Two versions of the workflow code at once: an operation ends under the version that it began with, whichever worker
 * serves it; new operations begin with the current one.
 */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Context, heartbeat } from '@temporalio/activity';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { NativeConnection, Worker } from '@temporalio/worker';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { olderBundle, removeOldBundles, type WorkflowBuild, workflowBuild } from '../../src/clients/temporal/bundle.ts';
import { followDeployment, startOrAttach } from '../../src/clients/temporal/index.ts';
import { lockHolderOf } from '../../src/clients/temporal/lock.ts';
import { workerVersions } from '../../src/clients/temporal/versions.ts';
import { readConfig } from '../../src/config.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { DeployInput } from '../../src/contract/operations/deploy.ts';
import { ENGINE_NAMESPACE } from '../../src/contract/names.ts';
import { createServing } from '../../src/worker/serving.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';
import { planOf, recordingActivities } from '../support/plans.ts';

const ENVIRONMENT = 'versioned';
const PLAN = planOf({
  first: { phase: 1 },
  slow: { phase: 2, dependsOn: ['first'] },
  last: { phase: 3, dependsOn: ['slow'] },
});

let engine: TestEngine;
let folder: string;
let old: WorkflowBuild;
let changed: WorkflowBuild;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-versions-'));
  const { repoRoot, stateRoot } = readConfig();
  const { path } = await workflowBuild(repoRoot, stateRoot);
  await cp(path, join(folder, 'bundles', basename(path)));
  [engine, old, changed] = await Promise.all([
    startTestEngine(),
    workflowBuild(repoRoot, folder),
    changedCheckout(repoRoot).then((checkout) => workflowBuild(checkout, folder)),
  ]);
});
after(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

/**
 * The workflow code with one more step at the beginning of every operation: it cannot go on with what the code of today
 * began.
 */
async function changedCheckout(repoRoot: string): Promise<string> {
  const checkout = join(folder, 'checkout');
  await mkdir(checkout, { recursive: true });
  await cp(join(repoRoot, 'src'), join(checkout, 'src'), { recursive: true });
  await cp(join(repoRoot, 'package.json'), join(checkout, 'package.json'));
  await symlink(join(repoRoot, 'node_modules'), join(checkout, 'node_modules'));
  const file = join(checkout, 'src', 'workflows', 'operation.ts');
  const code = await readFile(file, 'utf8');
  const at = '  const info = workflowInfo();\n';
  assert.ok(code.includes(at));
  const changed = code.replace(at, `${at}  await Added.current().run(async () => sleep(50));\n`);
  await writeFile(file, `import { CancellationScope as Added, sleep } from '@temporalio/workflow';\n${changed}`);
  return checkout;
}

const input = (cluster: number): DeployInput => ({
  environment: ENVIRONMENT,
  imageTags: {},
  clusterUid: `0000000${cluster}-uid`,
  requestedBy: 'tester@host',
});

interface Served {
  identity: string;
  log: string[];
  shutdown: () => void;
  stopped: Promise<void>;
}

/** A worker as `worker.ts` runs one, with a connection of its own. */
async function serve(build: WorkflowBuild, identity: string, activities: Activities): Promise<Served> {
  const connection = await NativeConnection.connect({ address: engine.address });
  const log: string[] = [];
  const serving = await createServing({
    environment: ENVIRONMENT,
    engine: { client: engine.client, connection },
    namespace: ENGINE_NAMESPACE,
    build,
    identity,
    olderBundle: (buildId) => olderBundle(buildId, folder),
    worker: { activities, stickyQueueScheduleToStartTimeout: '1s', maxHeartbeatThrottleInterval: '1s' },
    say: (text) => log.push(text),
  });
  // oxlint-disable-next-line typescript/no-misused-promises -- what it returns is waited for
  const stopped = serving.run().finally(() => connection.close());
  return { identity, log, shutdown: serving.shutdown, stopped };
}

const untilCurrent = (build: WorkflowBuild): Promise<true> =>
  waitUntil(
    `${build.buildId} is current`,
    { timeoutMs: 20_000, intervalMs: 50 },
    async () => (await workerVersions(engine.client, ENVIRONMENT)).current === build.buildId || undefined,
  );

/** Waits at the health of `slow`; an attempt ends when its worker does. */
function gated(): { activities: Activities; waiting: () => number; open: () => void } {
  const gate = Promise.withResolvers<undefined>();
  let waiting = 0;
  const { activities } = recordingActivities(PLAN, {
    awaitHealthy: async ({ step }) => {
      if (step.name === 'slow') {
        waiting += 1;
        const beat = setInterval(() => {
          heartbeat();
        }, 200);
        await Promise.race([gate.promise, Context.current().cancelled]).finally(() => {
          clearInterval(beat);
          waiting -= 1;
        });
      }
      return { seconds: 0, proof: '' };
    },
  });
  return {
    activities,
    waiting: () => waiting,
    open: () => {
      gate.resolve(undefined);
    },
  };
}

/** Of the tasks of a workflow: by which versions of the code, and by whom. */
async function tasksOf(
  workflowId: string,
  runId?: string,
): Promise<{ builds: string[]; identities: string[]; history: History }> {
  const history = await engine.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const tasks = (history.events ?? []).flatMap(({ workflowTaskCompletedEventAttributes: task }) =>
    task ? [task] : [],
  );
  return {
    builds: [
      ...new Set(
        tasks.map(
          ({ deploymentVersion, workerDeploymentVersion }) =>
            deploymentVersion?.buildId ?? workerDeploymentVersion ?? '',
        ),
      ),
    ],
    identities: [...new Set(tasks.map(({ identity }) => identity ?? ''))],
    history,
  };
}

describe('versions of the workflow code', { concurrency: 1 }, () => {
  test('a deployment that one version began ends under it on a worker of another; what comes later begins with that', async () => {
    const { activities, waiting, open } = gated();
    const first = await serve(old, 'old@elsewhere/1', activities);
    await untilCurrent(old);
    const run = await startOrAttach(engine.client, 'deploy', input(1), 'refuse');
    await waitUntil(
      'slow is waited for',
      { timeoutMs: 20_000, intervalMs: 50 },
      async () => waiting() > 0 || undefined,
    );

    const second = await serve(changed, 'new@elsewhere/2', activities);
    try {
      await untilCurrent(changed);
      first.shutdown();
      await first.stopped;
      const later = await startOrAttach(engine.client, 'deploy', input(2), 'refuse');
      open();
      const [result, next] = await Promise.all(
        [run, later].map((deployment) => followDeployment(engine.client, deployment, { onEvent: () => undefined })),
      );
      assert.deepEqual([result?.outcome, next?.outcome], ['succeeded', 'succeeded']);

      const deployment = await tasksOf(run.workflowId, run.runId);
      assert.deepEqual(deployment.builds, [old.buildId]);
      assert.deepEqual(deployment.identities, [first.identity, second.identity], 'both workers had a part in it');
      const phase = await tasksOf(`${run.workflowId}/${run.runId.slice(0, 8)}/phase-03`);
      assert.deepEqual(phase.builds, [old.buildId]);
      assert.deepEqual((await tasksOf(later.workflowId, later.runId)).builds, [changed.buildId]);

      // To show that the test distinguishes the versions: the other code cannot replay what the first one began, its
      // own can.
      assert.equal(await replayError(old, run.workflowId, deployment.history), undefined);
      assert.match((await replayError(changed, run.workflowId, deployment.history)) ?? '', /nondeterminism|TMPRL1100/i);

      await waitUntil(
        'the old version is no longer served',
        { timeoutMs: 30_000, intervalMs: 200 },
        async () => second.log.some((line) => line.includes('had begun has ended')) || undefined,
      );
    } finally {
      second.shutdown();
      await second.stopped;
    }
  });

  test('code that cannot be had: told by the worker and by whoever asks who holds the lock', async () => {
    const { activities, waiting, open } = gated();
    const first = await serve(changed, 'new@elsewhere/3', activities);
    await untilCurrent(changed);
    const run = await startOrAttach(engine.client, 'deploy', input(3), 'refuse');
    await waitUntil(
      'slow is waited for',
      { timeoutMs: 20_000, intervalMs: 50 },
      async () => waiting() > 0 || undefined,
    );
    first.shutdown();
    await first.stopped;
    await rm(changed.path);
    const second = await serve(old, 'old@elsewhere/4', activities);
    try {
      await waitUntil(
        'the worker says so',
        { timeoutMs: 20_000, intervalMs: 100 },
        async () =>
          second.log.some(
            (line) => line.includes(`version ${changed.buildId}`) && line.includes('does not have that code'),
          ) || undefined,
      );
      open();
      assert.equal((await lockHolderOf(engine.client, run.workflowId))?.runId, run.runId);
    } finally {
      second.shutdown();
      await second.stopped;
      await engine.client.workflow.getHandle(run.workflowId).terminate();
    }
  });

  test('of many bundles the newest stay, also while one goes that another process was making', async () => {
    const bundles = join(folder, 'many');
    await mkdir(bundles);
    const names = Array.from({ length: 10 }, (_, each) => `workflows-${each}.js`);
    for (const [each, name] of names.entries()) {
      await writeFile(join(bundles, name), '');
      await utimes(join(bundles, name), each, each);
    }
    await symlink(join(bundles, 'was renamed'), join(bundles, 'workflows-10.js.4711'));
    await removeOldBundles(bundles, join(bundles, 'workflows-0.js'));
    const left = (await readdir(bundles)).filter((name) => name.endsWith('.js'));
    assert.deepEqual(
      left.sort(),
      names.filter((name) => name !== 'workflows-1.js'),
    );
  });
});

async function replayError({ path }: WorkflowBuild, workflowId: string, history: History): Promise<string | undefined> {
  for await (const { error } of Worker.runReplayHistories({ workflowBundle: { codePath: path } }, [
    { workflowId, history },
  ]))
    return error?.message;
  return undefined;
}
