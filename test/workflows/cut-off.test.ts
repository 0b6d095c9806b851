/** A worker that has lost the engine begins nothing new and ends what it has begun; another worker repeats the step. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { NativeConnection, Worker } from '@temporalio/worker';
import { waitUntil } from '../../bootstrap/process/wait.ts';
import { temporalScope, withEffectScope } from '../../src/activities/scope.ts';
import { workflowBuild } from '../../src/clients/temporal/bundle.ts';
import { startOrAttach } from '../../src/clients/temporal/index.ts';
import { readConfig } from '../../src/config.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { OperationResult } from '../../src/contract/operations/deploy.ts';
import { ENGINE_NAMESPACE, taskQueueOf } from '../../src/contract/names.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { closedGate } from '../support/workers/gate.ts';
import { type TcpProxy, tcpProxy } from '../../bootstrap/faults/tcp-proxy.ts';
import { planOf, recordingActivities, withCompletePlans } from '../support/plans.ts';

const WAIT = { timeoutMs: 60_000 };

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(() => engine.close());

/** The worker whose connection the test can cut, while its step runs. */
interface CutOff {
  proxy: TcpProxy;
  /** Lets the step of this worker go on. */
  turn: () => void;
  /** Workers that have applied. */
  applied: string[];
  /** The error that ended this worker's step. */
  ended: () => string | undefined;
  /** Whether this worker's attempt was cancelled. */
  stopped: () => boolean;
  activitiesOf: (worker: string) => Activities;
  /** Whether the other worker has received the step. */
  taken: () => boolean;
  outcome: () => Promise<string>;
}

async function withTwoWorkers(environment: string, work: (parts: CutOff) => Promise<void>): Promise<void> {
  const proxy = await tcpProxy(() => Number(engine.address.split(':')[1]));
  const begun = closedGate();
  const turn = closedGate();
  const applied: string[] = [];
  let ended: string | undefined;
  let signal: AbortSignal | undefined;
  let taken = false;
  const activitiesOf = (worker: string): Activities =>
    recordingActivities(planOf({ a: { phase: 1 } }), {
      applyRelease: () =>
        withEffectScope(temporalScope(), async (scope) => {
          if (worker === 'cut off') {
            signal = scope.signal;
            begun.open();
            await turn.opened;
          } else taken = true;
          await scope.assertOurs().catch((error: unknown) => {
            ended = `${(error as { type?: string }).type ?? ''}: ${String(error)}`;
            throw error;
          });
          applied.push(worker);
          return { changed: true, revision: 1, seconds: 0 };
        }),
    }).activities;
  const config = readConfig();
  const { path: codePath } = await workflowBuild(config.repoRoot, config.stateRoot);
  const connection = await NativeConnection.connect({ address: `127.0.0.1:${proxy.port}` });
  const worker = await Worker.create({
    connection,
    namespace: ENGINE_NAMESPACE,
    taskQueue: taskQueueOf(environment),
    workflowBundle: { codePath },
    activities: withCompletePlans(activitiesOf('cut off')),
    // As src/worker.ts has it.
    stickyQueueScheduleToStartTimeout: '1s',
    maxHeartbeatThrottleInterval: '2s',
    defaultHeartbeatThrottleInterval: '2s',
    debugMode: true,
  });
  const running = worker.run();
  try {
    const input = { environment, imageTags: {}, clusterUid: newClusterUid(), requestedBy: 'tester@host' };
    const run = await startOrAttach(engine.client, 'deploy', input, 'refuse');
    await begun.opened;
    await work({
      proxy,
      outcome: async () => {
        const handle = engine.client.workflow.getHandle(run.workflowId, run.runId);
        return ((await handle.result()) as OperationResult).outcome;
      },
      activitiesOf,
      applied,
      turn: () => {
        turn.open();
      },
      ended: () => ended,
      stopped: () => signal?.aborted === true,
      taken: () => taken,
    });
  } finally {
    turn.open();
    proxy.restore();
    worker.shutdown();
    await running;
    await connection.close();
    await proxy.close();
  }
}

describe('a worker that is cut off from the engine', { concurrency: true }, () => {
  test('right before its turn with Helm: nothing is begun, and the other worker does the step', async () => {
    await withTwoWorkers('cut', async ({ proxy, turn, ended, applied, activitiesOf, outcome }) => {
      proxy.cut();
      turn();
      await waitUntil('it has noticed', WAIT, () => Promise.resolve(ended()));
      assert.match(
        ended() ?? '',
        /^Unreachable: .*the engine does not say whether this step is still this worker's: nothing was begun/,
      );
      await engine.withWorker(
        activitiesOf('other'),
        async () => {
          assert.equal(await outcome(), 'succeeded');
        },
        'cut',
      );
      assert.deepEqual(applied, ['other']);
    });
  });

  test('for longer, while it waits for its turn: back again, it begins nothing that was given to the other', async () => {
    await withTwoWorkers('held', async ({ proxy, turn, ended, taken, applied, activitiesOf, outcome }) => {
      proxy.cut();
      await engine.withWorker(
        activitiesOf('other'),
        async () => {
          await waitUntil('the step is given to the other', WAIT, () => Promise.resolve(taken() || undefined));
          proxy.restore();
          turn();
          await waitUntil('the first has asked', WAIT, () => Promise.resolve(ended()));
          assert.match(ended() ?? '', /^HelmInterrupted: .*the engine has given the step to somebody else/);
          assert.equal(await outcome(), 'succeeded');
        },
        'held',
      );
      assert.deepEqual(applied, ['other']);
    });
  });

  test('without a word of its own: the SDK ends its step before long', async () => {
    await withTwoWorkers('mute', async ({ proxy, stopped, turn, ended }) => {
      proxy.stall();
      const since = Date.now();
      await waitUntil('it is told to stop', WAIT, () => Promise.resolve(stopped() || undefined));
      // 6 s of silence and what the SDK adds; the attempt itself may take two minutes.
      assert.ok(Date.now() - since < 60_000);
      turn();
      await waitUntil('it has asked', WAIT, () => Promise.resolve(ended()));
    });
  });
});
