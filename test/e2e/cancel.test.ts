/**
 * Cancelled at five points, from the command line or as the UI does it; each time the next deployment goes on from
 * there. In all of it, a success and a failure included, no secret shows up anywhere but where it belongs.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, clearFailure, failRelease, openApi } from '../../bootstrap/cluster/index.ts';
import { layoutOf } from '../../bootstrap/layout.ts';
import { closeTemporal, connectTemporal } from '../../src/clients/temporal/index.ts';
import { readConfig } from '../../src/config.ts';
import { ENGINE_NAMESPACE } from '../../src/contract/names.ts';
import { readRuntime } from '../../src/environment/connections.ts';
import { type Bystander, bystanderOn } from '../support/sandbox/bystander.ts';
import { clusterOf, factsOf } from '../support/sandbox/cluster-facts.ts';
import { type Canaries, canariesOf } from '../support/sandbox/canaries.ts';
import { helmProcesses } from '../support/programs/processes.ts';
import {
  type CliRun,
  createSandbox,
  failuresOf,
  MINI,
  type JsonLine,
  resultOf,
  type Running,
  type Sandbox,
} from '../support/sandbox/sandbox.ts';

const DEPLOY = ['deploy', '--json'];

let sandbox: Sandbox;
let api: Api;
let bystander: Pick<Bystander, 'assertUntouched'>;
let canaries: Canaries;
/** Of commands that were cancelled, that deployed all, and that failed. */
const runs: CliRun[] = [];
before(async () => {
  sandbox = await createSandbox(MINI);
  const up = await sandbox.look(['up']);
  assert.equal(up.code, 0, up.stderr);
  bystander = await bystanderOn(sandbox);
  canaries = canariesOf(sandbox);
  api = await openApi(layoutOf({ ...readConfig(), stateRoot: `${sandbox.folder}/state` }, sandbox.name));
  // It may be begun by any of the deployments that are cancelled, and still has to be waited for in the last.
  await failRelease(api, 'auth', 'never-ready');
});
after(async () => {
  api.close();
  await sandbox.close();
});

const stateIs =
  (name: string, ...states: string[]) =>
  (line: JsonLine): boolean =>
    line.type === 'service' && line['name'] === name && states.includes(String(line['state']));

/** As the cancel button of the UI does it: at once, and without any of our code. */
async function cancelAsTheUiDoes(running: Running): Promise<void> {
  const { workflowId, runId } = await running.line(({ type }) => type === 'started');
  const runtime = await readRuntime({ ...readConfig(), stateRoot: `${sandbox.folder}/state` }, sandbox.name);
  const client = await connectTemporal({ address: runtime?.engine?.address ?? '', namespace: ENGINE_NAMESPACE });
  try {
    await client.workflow.getHandle(String(workflowId), String(runId)).cancel();
  } finally {
    await closeTemporal(client);
  }
}

/** No release is locked, the lock is free, no Helm is at work. */
async function assertOrderly(): Promise<void> {
  const cluster = await clusterOf(sandbox);
  try {
    const { releases } = await factsOf(cluster);
    const locked = Object.entries(releases).filter(([, revisions]) =>
      revisions.some((revision) => revision.includes('pending-')),
    );
    assert.deepEqual(locked, []);
  } finally {
    cluster.close();
  }
  assert.deepEqual(await helmProcesses(sandbox.state), []);
  assert.equal((JSON.parse((await sandbox.look(['status', '--json'])).stdout) as { lock: unknown }).lock, null);
}

/** Until a Helm has written its pending record, and so is in the middle of its work. */
async function pendingRelease(timeoutMs = 20_000): Promise<void> {
  const cluster = await clusterOf(sandbox);
  try {
    for (const deadline = Date.now() + timeoutMs; ; ) {
      const { items } = await cluster.list('/api/v1/secrets', {
        labelSelector: 'owner=helm,status in (pending-install,pending-upgrade)',
        metadataOnly: true,
      });
      if (items.length > 0) return;
      if (Date.now() > deadline) throw new Error(`No release was pending within ${timeoutMs} ms`);
      await sleep(10);
    }
  } finally {
    cluster.close();
  }
}

async function cancelledAt(
  running: Running,
  moment: (running: Running) => Promise<unknown>,
  cancel: (running: Running) => Promise<void> = cancelAsTheUiDoes,
): Promise<void> {
  await moment(running);
  await cancel(running);
  const run = await running.done;
  runs.push(run);
  assert.equal(resultOf(run).outcome, 'cancelled', run.stdout.slice(-2000));
  assert.equal(run.code, 5);
  await assertOrderly();
}

describe('cancel', { concurrency: 1 }, () => {
  test('nothing is running: said in a word', async () => {
    const run = await sandbox.look(['cancel']);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /Nothing is running on "rehearsal"/);
  });

  test('while it plans', async () => {
    // The worker is stopped until the cancellation stands in the history: only the plan can have begun.
    const worker = await sandbox.pidOf('worker');
    const started = sandbox.begin(DEPLOY);
    process.kill(worker, 'SIGSTOP');
    try {
      await cancelAsTheUiDoes(started);
    } finally {
      process.kill(worker, 'SIGCONT');
    }
    const run = await started.done;
    assert.equal(resultOf(run).outcome, 'cancelled');
    await assertOrderly();
  });

  test('while Vault is initialised', async () => {
    await canaries.watched(() =>
      cancelledAt(sandbox.start(DEPLOY), (running) =>
        running.line(
          (line) =>
            line.type === 'service' && line['name'] === 'vault' && /opens, configures/.test(String(line['detail'])),
        ),
      ),
    );
  });

  test('between two services', async () => {
    await canaries.watched(() =>
      cancelledAt(sandbox.start(DEPLOY), (running) => running.line(stateIs('database', 'healthy'))),
    );
  });

  test('while Helm is at work', async () => {
    // Whatever was applied before, there is something to apply now.
    const another = ['--image', 'operator=9.9.9', '--image', 'storage=9.9.9'];
    await cancelledAt(sandbox.begin([...DEPLOY, ...another]), async (running) => {
      await running.line(({ type }) => type === 'plan');
      await pendingRelease();
    });
  });

  test('while a service is waited for, from the command line', async () => {
    await cancelledAt(
      sandbox.begin(DEPLOY),
      (running) => running.line(stateIs('auth', 'starting')),
      async () => {
        const run = await sandbox.look(['cancel', '--json']);
        assert.equal(run.code, 0, run.stderr);
        assert.equal(resultOf(run).outcome, 'cancelled');
      },
    );
  });

  test('the next deployment goes on from there to the end, and the one after it has nothing to do', async () => {
    await clearFailure(api, 'auth');
    const next = await canaries.watched(() => sandbox.cli(DEPLOY));
    runs.push(next);
    assert.equal(resultOf(next).outcome, 'succeeded', failuresOf(next));
    const after = await sandbox.look(DEPLOY);
    assert.equal(resultOf(after).outcome, 'unchanged', failuresOf(after));
    assert.equal((await sandbox.look(['verify'])).code, 0);
  });

  test('secrets stay out of histories, logs, arguments, environments, releases and files, whatever came of a run', async () => {
    // Another image, and a health timeout shorter than its start-up: a failure with evidence.
    await sandbox.configure({ healthTimeoutFactor: 0.001 });
    const failed = await canaries.watched(() => sandbox.cli([...DEPLOY, '--image', 'auth=99.0.0']));
    runs.push(failed);
    assert.equal(resultOf(failed).outcome, 'failed');
    assert.deepEqual(
      runs.map((run) => resultOf(run).outcome),
      [...Array<string>(4).fill('cancelled'), 'succeeded', 'failed'],
    );
    await canaries.assertNowhere(runs);
  });

  test('what others have on the cluster is as it was', () => bystander.assertUntouched());
});
