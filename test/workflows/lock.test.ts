/** Stop, supersede, queue, cancel: requests to an operation that holds the lock. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { activityInfo, Context, heartbeat, sleep as activitySleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { awaitLockFree } from '../../src/activities/lock/await-free.ts';
import { temporalScope } from '../../src/activities/scope.ts';
import {
  type DeploymentHandle,
  describeDeployment,
  followDeployment,
  startOrAttach,
} from '../../src/clients/temporal/index.ts';
import { lockHolderOf, queuedRequest } from '../../src/clients/temporal/lock.ts';
import { enqueueDeployment, QueueWithdrawnError, withdrawQueued } from '../../src/clients/temporal/queue.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { DeployInput, OperationResult } from '../../src/contract/operations/deploy.ts';
import { FAILURES } from '../../src/contract/failures.ts';
import { SIGNALS } from '../../src/contract/messages.ts';
import { operationWorkflowId, queueWorkflowId } from '../../src/contract/names.ts';
import type { OperationPlan } from '../../src/contract/operations/plan.ts';
import type { DeploymentEvent } from '../../src/plan/progress.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { planOf, recordingActivities } from '../support/plans.ts';

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(async () => {
  await engine.close();
});

/** A lock of its own for every test. */
function input(requestedBy = 'tester@host'): DeployInput {
  return { environment: 'test', imageTags: {}, clusterUid: newClusterUid(), requestedBy };
}

const start = (request: DeployInput): ReturnType<typeof startOrAttach> =>
  startOrAttach(engine.client, 'deploy', request, 'refuse');
const follow = (
  run: DeploymentHandle,
  onEvent: (event: DeploymentEvent) => void = () => undefined,
): Promise<OperationResult> => followDeployment(engine.client, run, { onEvent });
const statesOf = (result: OperationResult): Record<string, string> =>
  Object.fromEntries(result.services.map((service) => [service.name, service.state]));
const isAt = (event: DeploymentEvent, service: string, state: string): boolean =>
  event.kind === 'progress' && event.event.service === service && event.event.state === state;

/** Beats until it is cancelled. */
async function untilCancelled(): Promise<never> {
  const beat = setInterval(() => {
    heartbeat();
  }, 200);
  try {
    await activitySleep('5 minutes');
    throw new Error('was not cancelled');
  } finally {
    clearInterval(beat);
  }
}

function gate(): { open: () => void; opened: Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** Beats until the gate opens. */
async function through(opened: Promise<void>): Promise<void> {
  const beat = setInterval(() => {
    heartbeat();
  }, 200);
  await opened.finally(() => {
    clearInterval(beat);
  });
}

const failing = (name: string): Partial<Activities> => ({
  awaitHealthy: ({ step }) =>
    step.name === name
      ? Promise.reject(ApplicationFailure.nonRetryable('pod bad-0: CrashLoopBackOff', FAILURES.notHealthyInTime))
      : Promise.resolve({ seconds: 0, proof: '' }),
});

describe('when a service fails', () => {
  /** `later` could start only after `slow`, which is at work when `bad` fails. */
  const graph = {
    bad: { phase: 1 },
    child: { phase: 2, dependsOn: ['bad'] },
    slow: { phase: 3 },
    later: { phase: 4, dependsOn: ['slow'] },
  };

  async function run(onFailure: OperationPlan['onFailure']): Promise<OperationResult> {
    const failed = gate();
    const recorder = recordingActivities(
      { ...planOf(graph), onFailure },
      {
        ...failing('bad'),
        applyRelease: async ({ step }) => {
          if (step.name === 'slow') await through(failed.opened);
          return { changed: true, revision: 1, seconds: 0 };
        },
      },
    );
    return engine.withWorker(recorder.activities, async () =>
      follow(await start(input()), (event) => {
        if (isAt(event, 'bad', 'failed')) setTimeout(failed.open, 1000);
      }),
    );
  }

  test('stop: what is at work goes on to its end, nothing further starts', async () => {
    const result = await run('stop');
    assert.equal(result.outcome, 'failed');
    assert.deepEqual(statesOf(result), { bad: 'failed', child: 'skipped', slow: 'healthy', later: 'skipped' });
    assert.match(
      result.services.find(({ name }) => name === 'later')?.failure?.message ?? '',
      /not started: bad failed.*onFailure: stop/,
    );
    assert.match(
      result.services.find(({ name }) => name === 'child')?.failure?.message ?? '',
      /bad, which it depends on/,
    );
  });

  test('continue: independent branches go on', async () => {
    assert.deepEqual(statesOf(await run('continue')), {
      bad: 'failed',
      child: 'skipped',
      slow: 'healthy',
      later: 'healthy',
    });
  });
});

test('what is not selected is left alone, and its dependents start all the same', async () => {
  const recorder = recordingActivities({
    ...planOf({
      base: { phase: 1, action: 'excluded' },
      api: { phase: 2, dependsOn: ['base'] },
      web: { phase: 3, dependsOn: ['api'], action: 'excluded' },
    }),
    prerequisites: false,
  });
  const result = await engine.withWorker(recorder.activities, async () => follow(await start(input())));
  assert.equal(result.outcome, 'succeeded');
  assert.deepEqual(statesOf(result), { base: 'skipped', api: 'healthy', web: 'skipped' });
  assert.deepEqual(
    result.services.flatMap(({ failure }) => failure ?? []),
    [],
  );
  assert.deepEqual(recorder.log.slice(0, 2), ['apply api', 'healthy api']);
});

describe('superseded', () => {
  test('Helm ends its release, waiting is given up, nothing further starts, and who took over is known', async () => {
    const request = input();
    const helm = gate();
    let ended = false;
    const recorder = recordingActivities(
      planOf({ waits: { phase: 1 }, helm: { phase: 2 }, later: { phase: 3, dependsOn: ['helm'] } }),
      {
        applyRelease: async ({ step }) => {
          if (step.name !== 'helm') return { changed: true, revision: 1, seconds: 0 };
          await through(helm.opened);
          ended = !Context.current().cancellationSignal.aborted;
          return { changed: true, revision: 1, seconds: 0 };
        },
        awaitHealthy: ({ step }) =>
          step.name === 'waits' ? untilCancelled() : Promise.resolve({ seconds: 0, proof: '' }),
      },
    );
    const result = await engine.withWorker(recorder.activities, async () => {
      const run = await start(request);
      let begun = 0;
      return follow(run, (event) => {
        if (isAt(event, 'waits', 'starting') || isAt(event, 'helm', 'applying')) begun += 1;
        if (begun === 2) {
          begun = 3;
          void engine.client.workflow
            .getHandle(run.workflowId, run.runId)
            .signal(SIGNALS.supersede, { by: 'other@host' });
        }
        // Waiting is given up while Helm is still at work.
        if (isAt(event, 'waits', 'cancelled')) helm.open();
      });
    });
    assert.equal(result.outcome, 'cancelled');
    assert.equal(result.supersededBy, 'other@host');
    assert.equal(ended, true, 'Helm was interrupted');
    assert.deepEqual(statesOf(result), { waits: 'cancelled', helm: 'cancelled', later: 'skipped' });
    assert.equal(result.services.find(({ name }) => name === 'helm')?.changed, true);
    assert.ok(recorder.log.includes('settle waits helm later'));
    assert.equal(recorder.log.at(-1), 'result cancelled');
  });

  test('pods whose StatefulSet is away get it back first: the release is applied, and then it ends', async () => {
    const away = gate();
    const plan = planOf({ waits: { phase: 1 }, db: { phase: 2, action: 'upgrade' } });
    Object.assign(plan.services[1]!.steps[0]!, {
      grow: { claims: [{ name: 'data-db-0', from: '1Gi', to: '2Gi' }], sets: [{ name: 'db', sizes: { data: '2Gi' } }] },
    });
    const recorder = recordingActivities(plan, {
      awaitHealthy: ({ step }) =>
        step.name === 'waits' ? untilCancelled() : Promise.reject(new Error('nobody waits any more')),
      replaceStatefulSets: async () => {
        await through(away.opened);
        return { replaced: ['db'] };
      },
    });
    const result = await engine.withWorker(recorder.activities, async () => {
      const run = await start(input());
      let asked = false;
      return follow(run, (event) => {
        if (event.kind !== 'progress') return;
        const { service, detail = '' } = event.event;
        if (service === 'db' && /without its pods/.test(detail) && !asked) {
          asked = true;
          void engine.client.workflow
            .getHandle(run.workflowId, run.runId)
            .signal(SIGNALS.supersede, { by: 'other@host' });
        }
        if (isAt(event, 'waits', 'cancelled')) away.open();
      });
    });
    assert.deepEqual(
      recorder.log.filter((line) => /^(expand|apply|healthy) db/.test(line)),
      ['expand db 2Gi', 'apply db'],
    );
    assert.deepEqual(statesOf(result), { waits: 'cancelled', db: 'cancelled' });
    assert.equal(result.services.find(({ name }) => name === 'db')?.changed, true);
  });

  test('while it plans: ends at once', async () => {
    const begun = gate();
    const recorder = recordingActivities(planOf({}), {
      makePlan: () => {
        begun.open();
        return untilCancelled();
      },
    });
    const result = await engine.withWorker(recorder.activities, async () => {
      const run = await start(input());
      await begun.opened;
      await engine.client.workflow.getHandle(run.workflowId, run.runId).signal(SIGNALS.supersede, { by: 'other@host' });
      return follow(run);
    });
    assert.deepEqual([result.outcome, result.supersededBy], ['cancelled', 'other@host']);
  });
});

test('cancelled: the lock stays taken until the last phase has ended', async () => {
  const request = input();
  let ended = 0;
  const slow = (milliseconds: number) => async (): Promise<never> => {
    try {
      return await untilCancelled();
    } finally {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      ended += 1;
    }
  };
  const recorder = recordingActivities(planOf({ quick: { phase: 1 }, slow: { phase: 2 } }), {
    applyRelease: ({ step }) => slow(step.name === 'slow' ? 2500 : 0)(),
  });
  await engine.withWorker(recorder.activities, async () => {
    const run = await start(request);
    let begun = 0;
    await follow(run, (event) => {
      if (isAt(event, 'quick', 'applying') || isAt(event, 'slow', 'applying')) begun += 1;
      if (begun === 2) {
        begun = 3;
        void engine.client.workflow.getHandle(run.workflowId, run.runId).cancel();
      }
    });
    assert.equal(ended, 2);
  });
});

describe('queue', () => {
  /** Deployments hold the lock until their gate opens; each says who asked for it. */
  function held(): { activities: Activities; open: (requestedBy: string) => void; ran: string[] } {
    const gates = new Map<string, ReturnType<typeof gate>>();
    const of = (name: string): ReturnType<typeof gate> => {
      const known = gates.get(name) ?? gate();
      gates.set(name, known);
      return known;
    };
    const ran: string[] = [];
    const { activities } = recordingActivities(planOf({}), {
      makePlan: async ({ run }) => {
        const tag = run.imageTags['who'] ?? 'holder';
        ran.push(tag);
        await through(of(tag).opened);
        return { ...planOf({}), prerequisites: false };
      },
      awaitLockFree: (request) => awaitLockFree({ engine: engine.client }, temporalScope)(request),
    });
    return {
      activities,
      ran,
      open: (name) => {
        of(name).open();
      },
    };
  }
  const asked = (base: DeployInput, who: string): DeployInput => ({
    ...base,
    requestedBy: `${who}@host`,
    imageTags: { who },
  });
  const never = new AbortController().signal;

  test('the newest request wins; the others are told by whom they were overtaken', async () => {
    const base = input();
    const { activities, ran, open } = held();
    await engine.withWorker(activities, async () => {
      await start(base);
      const queued = [];
      for (const who of ['one', 'two', 'three'])
        queued.push(await enqueueDeployment(engine.client, `${base.clusterUid}-${who}`, asked(base, who)));
      const lock = operationWorkflowId(base.environment, base.clusterUid);
      assert.equal(
        (await queuedRequest(engine.client, queueWorkflowId(base.environment, base.clusterUid)))?.requestedBy,
        'three@host',
      );
      assert.deepEqual(await Promise.all(queued.slice(0, 2).map((one) => one.answer(never))), [
        { overtakenBy: 'two@host' },
        { overtakenBy: 'three@host' },
      ]);
      open('holder');
      open('three');
      const answer = await queued[2]?.answer(never);
      assert.ok(answer && 'started' in answer);
      assert.equal(answer.started.workflowId, lock);
      const result = await follow(answer.started);
      assert.equal(result.outcome, 'unchanged');
    });
    assert.deepEqual(ran, ['holder', 'three']);
  });

  test('the lock was taken by somebody else in between: waits again', async () => {
    const base = input();
    const { activities, ran, open } = held();
    let first = true;
    await engine.withWorker(
      {
        ...activities,
        awaitLockFree: async (request) => {
          // As if the lock had been free for a moment.
          if (first && activityInfo().attempt === 1) {
            first = false;
            return;
          }
          await activities.awaitLockFree(request);
        },
      },
      async () => {
        await start(base);
        const queued = await enqueueDeployment(engine.client, `${base.clusterUid}-late`, asked(base, 'late'));
        open('holder');
        open('late');
        const answer = await queued.answer(never);
        assert.ok('started' in answer);
        await follow(answer.started);
      },
    );
    assert.deepEqual(ran, ['holder', 'late']);
  });

  test('taken back before its turn: nothing is started', async () => {
    const base = input();
    const { activities, ran, open } = held();
    await engine.withWorker(activities, async () => {
      const holder = await start(base);
      const queued = await enqueueDeployment(engine.client, `${base.clusterUid}-back`, asked(base, 'back'));
      const id = queueWorkflowId(base.environment, base.clusterUid);
      assert.equal(await withdrawQueued(engine.client, id), true);
      await assert.rejects(queued.answer(never), QueueWithdrawnError);
      open('holder');
      await follow(holder);
      assert.equal(await queuedRequest(engine.client, id), undefined);
    });
    assert.deepEqual(ran, ['holder']);
  });
});

test('who holds the lock is told from its memo, and that nobody serves it', async () => {
  const request = input('somebody@elsewhere');
  const lock = operationWorkflowId(request.environment, request.clusterUid);
  assert.equal(await lockHolderOf(engine.client, lock), undefined);
  const run = await start(request);
  const holder = await lockHolderOf(engine.client, lock);
  assert.deepEqual(
    [holder?.operation, holder?.requestedBy, holder?.runId],
    ['deploy', 'somebody@elsewhere', run.runId],
  );
  await engine.client.workflow.getHandle(lock).terminate();
  assert.equal((await describeDeployment(engine.client, { workflowId: lock }))?.status, 'TERMINATED');
  assert.equal(await lockHolderOf(engine.client, lock), undefined);
});
