/**
 * The real CLI against a real engine, with activities that do nothing: what a user of an external environment meets.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { readConfig } from '../../src/config.ts';
import { ENGINE_NAMESPACE } from '../../src/contract/names.ts';
import type { ClusterOwner } from '../../src/contract/owner.ts';
import { externalEnvironment, kubeconfigFor, exits, startFakeApi, type Workspace, workspace } from '../cli/run-cli.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';
import { planOf, recordingActivities } from '../support/plans.ts';
import { certificates, OPENSSL } from '../support/servers/tls.ts';

const PLAN = planOf({
  vault: { phase: 1 },
  keycloak: { phase: 4, dependsOn: ['vault'] },
  dashboard: { phase: 14, dependsOn: ['keycloak'] },
});
const ENV = ['--env', 'mine'];

interface Line {
  type: string;
  [key: string]: unknown;
}

/** Every line of standard output, each of which has to be an object. */
function jsonLines(stdout: string): Line[] {
  assert.ok(stdout.endsWith('\n'));
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

describe('an external environment', { concurrency: 1 }, () => {
  let at: Workspace;
  let engine: TestEngine;
  let api: Awaited<ReturnType<typeof startFakeApi>>;
  before(async () => {
    [at, engine, api] = await Promise.all([workspace(readConfig().cacheDir), startTestEngine(), startFakeApi()]);
    const kubeconfig = join(at.folder, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigFor(api.address));
    await at.environment(
      'mine',
      externalEnvironment({ kubeconfig, engine: engine.address, namespace: ENGINE_NAMESPACE }),
    );
  });
  after(async () => {
    api.close();
    await engine.close();
    await at.remove();
  });

  /** Activities whose health waits last until the gate is opened. */
  const gated = (): { activities: Parameters<TestEngine['withWorker']>[0]; open: () => void } => {
    const gate = Promise.withResolvers<undefined>();
    const { activities } = recordingActivities(PLAN, {
      awaitHealthy: () => gate.promise.then(() => ({ seconds: 0, proof: 'told so' })),
    });
    return { activities, open: () => gate.resolve(undefined) };
  };

  const withWorker = (activities: Parameters<TestEngine['withWorker']>[0], work: () => Promise<void>): Promise<void> =>
    engine.withWorker(activities, work, 'mine');

  /** The gate is opened in the end, whatever happened: a worker does not stop while its activities wait. */
  const whatever = (open: () => void, work: () => Promise<void>): Promise<void> => work().finally(open);

  test('proxies of the environment are not asked for an engine on this machine', async () => {
    const dead = 'http://127.0.0.1:9';
    // Without a worker: the engine would remember it, and the next test wants one that nobody asks for work.
    for (const env of [
      { http_proxy: dead },
      { https_proxy: dead, HTTPS_PROXY: dead, ALL_PROXY: dead, no_proxy: 'x' },
    ]) {
      const run = await at.run(['status', ...ENV, '--json'], { env });
      assert.equal((JSON.parse(run.stdout) as { engine: string }).engine, 'reachable', run.stderr);
    }
  });

  test('nobody polls the task queue: refused with the line to run', async () => {
    const { code, stdout, stderr } = await at.run(['deploy', ...ENV]);
    assert.equal(code, 3);
    assert.match(stderr, /no worker asks the task queue "ananta-deploy-mine"[^]*Next: npm run worker -- --env mine/);
    assert.equal(stdout, '');
  });

  test('nothing was ever deployed', async () => {
    const attach = await at.run(['attach', ...ENV]);
    assert.equal(attach.code, 3);
    assert.match(attach.stderr, /Nothing was ever deployed to "mine"/);
    const status = await at.run(['status', ...ENV]);
    assert.equal(status.code, 1);
    assert.match(status.stdout, /Nothing was ever deployed to mine/);
  });

  test('deployed, with JSON and nothing else on standard output, the result last', async () => {
    await withWorker(recordingActivities(PLAN).activities, async () => {
      const { code, stdout, stderr } = await at.run(['deploy', '--json', ...ENV]);
      assert.equal(code, 0, stderr);
      const lines = jsonLines(stdout);
      assert.deepEqual(
        // The time that is left is asked for separately, and shown once it is known.
        [...new Set(lines.map(({ type }) => type))].filter((type) => type !== 'remaining'),
        ['started', 'planning', 'plan', 'service', 'result'],
      );
      const { seconds, services, runId, ...result } = lines.at(-1) as Line & {
        services: { name: string; state: string; changed: boolean }[];
      };
      assert.equal(typeof seconds, 'number');
      assert.deepEqual(result, {
        type: 'result',
        operation: 'deploy',
        environment: 'mine',
        workflowId: 'deploy/mine/11111111',
        outcome: 'succeeded',
        criticalPathSeconds: 1,
        version: 1,
      });
      assert.equal(typeof runId, 'string');
      assert.deepEqual(
        services.map(({ name, state, changed }) => [name, state, changed]),
        [
          ['vault', 'healthy', true],
          ['keycloak', 'healthy', true],
          ['dashboard', 'healthy', true],
        ],
      );
    });
  });

  test('afterwards, without a worker: status and attach know how it ended', async () => {
    const status = await at.run(['status', '--json', ...ENV]);
    assert.equal(status.code, 0);
    const [report] = jsonLines(status.stdout) as (Line & { deployment: { outcome: string; services: unknown[] } })[];
    assert.deepEqual([report?.deployment.outcome, report?.deployment.services.length], ['succeeded', 3]);
    const attach = await at.run(['attach', ...ENV]);
    assert.equal(attach.code, 0);
    assert.match(attach.stdout, /keycloak healthy[^]*Deployed to mine/);
  });

  test('a failure: exit code 1, the service with its reason and evidence, what was skipped', async () => {
    const failing = recordingActivities(PLAN, {
      applyRelease: ({ step }) =>
        step.name === 'keycloak'
          ? Promise.reject(ApplicationFailure.nonRetryable('chart does not render: line 3', 'ChartInvalid'))
          : Promise.resolve({ changed: true, revision: 1, seconds: 0 }),
    });
    await withWorker(failing.activities, async () => {
      const { code, stdout } = await at.run(['deploy', ...ENV]);
      assert.equal(code, 1);
      assert.match(
        stdout,
        /✘ keycloak \(phase 4\)[^]*chart does not render: line 3[^]*\| line[^]*Evidence: \/evidence\/keycloak\.txt[^]*Not started[^]*dashboard/,
      );
    });
    const status = await at.run(['status', ...ENV]);
    assert.equal(status.code, 1);
    assert.match(status.stdout, /keycloak: failed: chart does not render: line 3/);
  });

  test('a second deployment attaches, or is refused, as asked; signals end the watching only', async () => {
    const { activities, open } = gated();
    await withWorker(activities, () =>
      whatever(open, async () => {
        const detached = await at.run(['deploy', '--detach', '--json', ...ENV]);
        assert.equal(detached.code, 4);
        assert.deepEqual(
          jsonLines(detached.stdout).map(({ type }) => type),
          ['started', 'detached'],
        );

        const refused = await at.run(['deploy', '--if-running', 'refuse', ...ENV]);
        exits(refused, 3);
        assert.match(refused.stderr, /already running, started by .+, since [^]*npm run ananta -- attach --env mine/);

        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
          const watching = at.start(['deploy', ...ENV]);
          await watching.says(/vault starting/);
          watching.kill(signal);
          const { code, stdout } = await watching.done;
          assert.equal(code, 4, signal);
          assert.match(
            stdout,
            new RegExp(`The lock of mine is held by[^]*Detached \\(${signal}\\): the deployment to mine goes on`),
          );
        }

        const unread = at.start(['attach', ...ENV]);
        await unread.says(/vault starting/);
        unread.closeOutput();
        const last = at.start(['attach', '--json', ...ENV]);
        await last.says(/"vault"/);
        open();
        const { code, stdout } = await last.done;
        assert.equal(code, 0);
        assert.equal(jsonLines(stdout).at(-1)?.['outcome'], 'succeeded');
        assert.equal((await unread.done).code, 4);
      }),
    );
  });

  test('bound to its cluster: elsewhere everything that changes something is refused, until it is bound anew', async () => {
    const elsewhere = await startFakeApi('99999999-2222-3333-4444-555555555555');
    const kubeconfig = join(at.folder, 'kubeconfig');
    const { activities } = recordingActivities(PLAN);
    try {
      await writeFile(kubeconfig, kubeconfigFor(elsewhere.address));
      await withWorker(activities, async () => {
        for (const command of [['deploy'], ['rollback'], ['destroy', '--confirm', 'mine'], ['drift', 'run']]) {
          const refused = await at.run([...command, ...ENV]);
          exits(refused, 3, command[0]);
          assert.match(
            refused.stderr,
            /"mine" belongs to another cluster than the one that http:\S+ answers for: kube-system uid 9{8}-\S+ instead of 1{8}-\S+\. It was bound to http:\S+ by .+ at 20[^]*Next: .*rebind --env mine/,
          );
        }
        assert.match((await at.run(['rebind', ...ENV])).stderr, /has to be confirmed, and there is no terminal/);
        assert.match(
          (await at.run(['rebind', '--confirm', 'other', ...ENV])).stderr,
          /does not name the environment "mine"/,
        );
        exits(await at.run(['deploy', ...ENV]), 3, 'nothing of that has bound it');

        const bound = await at.run(['rebind', '--confirm', 'mine', '--json', ...ENV]);
        exits(bound, 0);
        const { changed, binding, before } = JSON.parse(bound.stdout) as {
          changed: boolean;
          binding: { uid: string };
          before: { uid: string };
        };
        assert.deepEqual([changed, binding.uid.slice(0, 8), before.uid.slice(0, 8)], [true, '99999999', '11111111']);
        exits(await at.run(['deploy', ...ENV]), 0);
        assert.match(
          (await at.run(['rebind', '--confirm', 'mine', ...ENV])).stdout,
          /is bound to this cluster already/,
        );

        await writeFile(kubeconfig, kubeconfigFor(api.address));
        exits(await at.run(['deploy', ...ENV]), 3, 'and the one before is another one now');
        exits(await at.run(['rebind', '--confirm', 'mine', ...ENV]), 0);
      });
    } finally {
      elsewhere.close();
      await writeFile(kubeconfig, kubeconfigFor(api.address));
    }
  });

  test('another environment on the same cluster: refused, until it takes the cluster over; then the one before is', async () => {
    const yours = ['--env', 'yours'];
    const kubeconfig = join(at.folder, 'kubeconfig');
    await at.environment(
      'yours',
      externalEnvironment({ kubeconfig, engine: engine.address, namespace: ENGINE_NAMESPACE }),
    );
    exits(await at.run(['rebind', '--confirm', 'mine', ...ENV]), 0);
    for (const command of [['deploy'], ['rebind', '--confirm', 'yours']]) {
      const refused = await at.run([...command, ...yours]);
      exits(refused, 3, command[0]);
      assert.match(refused.stderr, /This cluster belongs to environment "mine" \(bound by /);
      assert.match(refused.stderr, /rebind --env yours --take-over {3}\(if "mine" gives the cluster up/);
    }
    exits(await at.run(['rebind', '--take-over', '--confirm', 'mine', ...yours]), 3, 'its own name has to be typed');
    const taken = await at.run(['rebind', '--take-over', '--confirm', 'yours', '--json', ...yours]);
    exits(taken, 0);
    const { owner, ownerBefore } = JSON.parse(taken.stdout) as Record<'owner' | 'ownerBefore', ClusterOwner>;
    assert.deepEqual([owner.environment, owner.formerly, ownerBefore.environment], ['yours', ['mine'], 'mine']);
    assert.match((await at.run(['deploy', ...ENV])).stderr, /This cluster belongs to environment "yours"/);
    exits(await at.run(['rebind', '--take-over', '--confirm', 'mine', ...ENV]), 0);
  });

  test('bound to its authority, too: a copy of the cluster with the same uid is another one', {
    skip: OPENSSL === undefined && 'there is no openssl',
  }, async () => {
    const [one, other] = await Promise.all(
      ['one', 'other'].map(async (name) => readFile((await certificates(join(at.folder, name))).ca, 'utf8')),
    );
    const uid = '22222222-2222-3333-4444-555555555555';
    const [mine, copy] = await Promise.all([startFakeApi(uid, one), startFakeApi(uid, other)]);
    const kubeconfig = join(at.folder, 'kubeconfig');
    try {
      await writeFile(kubeconfig, kubeconfigFor(mine.address));
      await withWorker(recordingActivities(PLAN).activities, async () => {
        exits(await at.run(['rebind', '--confirm', 'mine', ...ENV]), 0);
        exits(await at.run(['deploy', ...ENV]), 0);
        await writeFile(kubeconfig, kubeconfigFor(copy.address));
        const refused = await at.run(['deploy', ...ENV]);
        exits(refused, 3);
        assert.match(
          refused.stderr,
          /the same kube-system uid 2{8}-\S+, but the certificate authority sha256:[0-9a-f]{64} instead of sha256:[0-9a-f]{64}[^]*rebind --env mine/,
        );
        const bound = await at.run(['rebind', '--confirm', 'mine', '--json', ...ENV]);
        const { changed, binding, before } = JSON.parse(bound.stdout) as {
          changed: boolean;
          binding: { uid: string; authority: string };
          before: { uid: string; authority: string };
        };
        assert.deepEqual(
          [changed, binding.uid === before.uid, binding.authority === before.authority],
          [true, true, false],
        );
        exits(await at.run(['deploy', ...ENV]), 0);
        await writeFile(kubeconfig, kubeconfigFor(api.address));
        exits(await at.run(['rebind', '--confirm', 'mine', ...ENV]), 0);
      });
    } finally {
      mine.close();
      copy.close();
      await writeFile(kubeconfig, kubeconfigFor(api.address));
    }
  });

  test('no time left: ended in good order, exit code 1', async () => {
    const { activities, open } = gated();
    await withWorker(activities, () =>
      whatever(open, async () => {
        const running = at.run(['deploy', '--timeout', '1s', '--json', ...ENV]);
        setTimeout(open, 4000);
        const { code, stdout } = await running;
        assert.equal(code, 1);
        assert.equal(jsonLines(stdout).at(-1)?.['outcome'], 'failed');
      }),
    );
  });
});
