import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo, heartbeat, sleep as activitySleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import {
  DeploymentRunningError,
  describeDeployment,
  followDeployment,
  latestDeployment,
  startOrAttach,
} from '../../src/clients/temporal/index.ts';
import { pastRuns } from '../../src/clients/temporal/histories/past-runs.ts';
import { pendingOf } from '../../src/clients/temporal/histories/pending.ts';
import type { DeployInput, OperationResult } from '../../src/contract/operations/deploy.ts';
import { FAILURES } from '../../src/contract/failures.ts';
import { operationWorkflowId, phaseWorkflowId, taskQueueOf, WORKFLOW_TYPES } from '../../src/contract/names.ts';
import type { Notification, NotificationInput, NotificationResult } from '../../src/contract/notifications.ts';
import type { OperationPlan } from '../../src/contract/operations/plan.ts';
import { notifySchema } from '../../src/environment/fields/notify.ts';
import type { DeploymentEvent } from '../../src/plan/progress.ts';
import { completed } from '../../src/plan/steps/complete.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { ALL_PHASES, planOf, recordingActivities } from '../support/plans.ts';

const TOLD = notifySchema.parse({ targets: { chat: { url: 'https://chat.example', events: ['start', 'end'] } } });

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(async () => {
  await engine.close();
});

/** A lock of its own for every test. */
function input(extra: Partial<DeployInput> = {}): DeployInput {
  return {
    environment: 'test',
    imageTags: {},
    clusterUid: newClusterUid(),
    requestedBy: 'tester@host',
    ...extra,
  };
}

async function deployment(
  activities: Parameters<TestEngine['withWorker']>[0],
  request = input(),
): Promise<{ result: OperationResult; events: DeploymentEvent[] }> {
  const events: DeploymentEvent[] = [];
  const result = await engine.withWorker(
    activities,
    async () => {
      const run = await startOrAttach(engine.client, 'deploy', request, 'refuse');
      return followDeployment(engine.client, run, {
        onEvent: (event) => {
          events.push(event);
        },
      });
    },
    request.environment,
  );
  return { result, events };
}

const statesOf = (result: OperationResult): Record<string, string> =>
  Object.fromEntries(result.services.map((service) => [service.name, service.state]));

describe('deploy', () => {
  test('many services of a phase are reported together; none is lost, and what is worked on is seen before it ends', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `service-${index}`);
    const plan = planOf(Object.fromEntries(names.map((name) => [name, { phase: 1 }])));
    let seen = 0;
    let release = (): void => undefined;
    const looked = new Promise<void>((resolve) => (release = resolve));
    const { activities } = recordingActivities(plan, {
      // The last one is not healthy before everybody has seen that all the others are.
      awaitHealthy: async ({ step }) => {
        if (step.name === 'service-59') await looked;
        return { seconds: 0, proof: 'told so' };
      },
    });
    const request = input();
    const states = new Map<string, string[]>();
    const result = await engine.withWorker(activities, async () => {
      const run = await startOrAttach(engine.client, 'deploy', request, 'refuse');
      return followDeployment(engine.client, run, {
        onEvent: (event) => {
          if (event.kind !== 'progress') return;
          const { service, state } = event.event;
          states.set(service, [...(states.get(service) ?? []), state]);
          if (state === 'healthy') seen += 1;
          if (seen === 59 && states.get('service-59')?.includes('starting')) release();
        },
      });
    });
    assert.equal(result.outcome, 'succeeded');
    // The engine passes signals on at the same time: which of two arrives first is open.
    for (const name of names) assert.deepEqual(states.get(name)?.toSorted(), ['applying', 'healthy', 'starting'], name);
    const { events } = await engine.client.workflow.getHandle(result.workflowId, result.runId).fetchHistory();
    const signals = events?.filter(({ workflowExecutionSignaledEventAttributes: signal }) => signal).length ?? 0;
    assert.ok(signals < 40, `${signals} signals of 180 reports`);
    const phase = engine.client.workflow.getHandle(phaseWorkflowId(result.workflowId, result.runId, 1));
    const { events: ofPhase } = await phase.fetchHistory();
    const each = (ofPhase?.length ?? 0) / names.length;
    assert.ok(each < 25, `${each} events for each service: 1,500 of them would come near the engine's limit of 51,200`);
  });

  test('whoever is attached sees what is tried again, from planning on, and what a wait has met', async () => {
    const plan = planOf({ api: { phase: 1 } });
    let planned = 0;
    let waits = true;
    const { activities } = recordingActivities(plan, {
      makePlan: () => {
        planned += 1;
        return planned < 4 ? Promise.reject(new Error(`Vault is away ${planned}`)) : Promise.resolve(plan);
      },
      awaitHealthy: async ({ step }) => {
        while (waits) {
          heartbeat({ spentSeconds: 1, status: '0/1', release: step.name, cause: 'exceeded quota' });
          await sleep(100);
        }
        return { seconds: 0, proof: '' };
      },
    });
    const request = input();
    await engine.withWorker(
      activities,
      async () => {
        const run = await startOrAttach(engine.client, 'deploy', request, 'refuse');
        let seen = await pendingOf(engine.client, run.workflowId);
        while (seen.retries.length === 0) {
          await sleep(100);
          seen = await pendingOf(engine.client, run.workflowId);
        }
        assert.deepEqual(seen.retries[0]?.activity, 'makePlan');
        assert.match(seen.retries[0]?.message ?? '', /^Vault is away \d$/);
        const phase = phaseWorkflowId(run.workflowId, run.runId, 1);
        while (seen.causes.length === 0) {
          await sleep(100);
          seen = await pendingOf(engine.client, phase);
        }
        assert.deepEqual([seen.causes[0]?.release, seen.causes[0]?.cause], ['api', 'exceeded quota']);
        waits = false;
        await followDeployment(engine.client, run, { onEvent: () => undefined });
      },
      request.environment,
    );
  });

  test('earlier runs tell how long services took: of the same operation, environment and cluster', async () => {
    const plan = planOf({ api: { phase: 1 }, web: { phase: 2, dependsOn: ['api'], job: true } });
    const request = input();
    const { activities } = recordingActivities(plan, {
      awaitHealthy: () => activitySleep(20).then(() => ({ seconds: 0, proof: '' })),
    });
    const run = { workflowId: operationWorkflowId(request.environment, request.clusterUid), runId: '' };
    assert.deepEqual(await pastRuns(engine.client, run, 'deploy'), []);
    const [first, second] = [await deployment(activities, request), await deployment(activities, request)];
    // The engine's list shows the end of a workflow a moment later.
    let past = await pastRuns(engine.client, run, 'deploy');
    while (past.length < 2) {
      await sleep(100);
      past = await pastRuns(engine.client, run, 'deploy');
    }
    assert.deepEqual(past.map(({ runId }) => runId).sort(), [first, second].map(({ result }) => result.runId).sort());
    assert.deepEqual(Object.keys(past[0]?.services ?? {}), ['api', 'web']);
    assert.equal(past[0]?.services['api']?.changed, true);
    assert.ok((past[0]?.services['api']?.seconds ?? 0) >= 0.02);
    // The run that is watched is none of them, nor is anything of another operation or cluster.
    assert.equal((await pastRuns(engine.client, { ...run, runId: first.result.runId }, 'deploy')).length, 1);
    assert.deepEqual(await pastRuns(engine.client, run, 'destroy'), []);
    assert.deepEqual(await pastRuns(engine.client, { ...run, workflowId: `${run.workflowId}x` }, 'deploy'), []);
  });

  test('starts each service when what it depends on is healthy, across phases and against their order', async () => {
    const plan = planOf(
      {
        late: { phase: 1, dependsOn: ['middle'] },
        base: { phase: 9 },
        middle: { phase: 3, dependsOn: ['base'] },
        job: { phase: 3, dependsOn: ['late', 'middle'], job: true },
      },
      ALL_PHASES,
    );
    const recorder = recordingActivities(plan);
    const { result, events } = await deployment(recorder.activities);
    assert.equal(result.outcome, 'succeeded');
    assert.deepEqual(statesOf(result), { late: 'healthy', base: 'healthy', middle: 'healthy', job: 'completed' });
    assert.deepEqual(recorder.log, [
      'namespaces',
      'apply base',
      'healthy base',
      'apply middle',
      'healthy middle',
      'apply late',
      'healthy late',
      'apply job',
      'healthy job',
      'schedule',
      'version of deploy',
      'result succeeded',
    ]);
    assert.equal(result.planDigest, plan.digest);
    const states = events.flatMap((event) =>
      event.kind === 'progress' && event.event.service === 'base' ? [event.event.state] : [],
    );
    assert.deepEqual(states, ['applying', 'starting', 'healthy']);
    assert.equal(events.at(-1)?.kind, 'finished');
  });

  test('does nothing for what has not changed, and says so', async () => {
    const recorder = recordingActivities({
      ...planOf({ a: { phase: 1, action: 'unchanged' }, b: { phase: 2, dependsOn: ['a'], action: 'unchanged' } }),
      prerequisites: false,
    });
    const { result } = await deployment(recorder.activities);
    assert.equal(result.outcome, 'unchanged');
    assert.deepEqual(recorder.log, ['schedule', 'version of deploy', 'result unchanged']);
    assert.ok(result.services.every((service) => !service.changed && service.state === 'unchanged'));
  });

  test('verifies without applying, and counts that as no change', async () => {
    const recorder = recordingActivities(planOf({ a: { phase: 1, action: 'verify' } }));
    const { result } = await deployment(recorder.activities);
    assert.deepEqual(recorder.log, ['namespaces', 'healthy a', 'schedule', 'version of deploy', 'result succeeded']);
    assert.equal(result.services[0]?.changed, false);
  });

  test('goes on with independent branches when one fails, and names the failure with its evidence', async () => {
    const plan = planOf({
      bad: { phase: 1 },
      child: { phase: 2, dependsOn: ['bad'] },
      grandchild: { phase: 2, dependsOn: ['child'] },
      good: { phase: 1 },
      fine: { phase: 3, dependsOn: ['good'] },
    });
    const recorder = recordingActivities(plan, {
      awaitHealthy: ({ step }) =>
        step.name === 'bad'
          ? Promise.reject(
              ApplicationFailure.nonRetryable('pod bad-0, container main: CrashLoopBackOff', FAILURES.notHealthyInTime),
            )
          : Promise.resolve({ seconds: 0, proof: 'told so' }),
    });
    const request = input();
    const { result } = await deployment(recorder.activities, request);
    assert.equal(result.outcome, 'failed');
    assert.deepEqual(statesOf(result), {
      bad: 'failed',
      child: 'skipped',
      grandchild: 'skipped',
      good: 'healthy',
      fine: 'healthy',
    });
    const failure = result.services.find((service) => service.name === 'bad')?.failure;
    assert.deepEqual(failure, {
      type: FAILURES.notHealthyInTime,
      message: 'pod bad-0, container main: CrashLoopBackOff',
      evidence: '/evidence/bad.txt',
      summary: ['line'],
    });
    assert.match(
      result.services.find((service) => service.name === 'grandchild')?.failure?.message ?? '',
      /child, which it depends on/,
    );
    const failed = await describeDeployment(engine.client, {
      workflowId: phaseWorkflowId(result.workflowId, result.runId, 1),
    });
    assert.equal(failed?.status, 'FAILED');
    assert.equal((await describeDeployment(engine.client, { workflowId: result.workflowId }))?.status, 'FAILED');
  });

  test('lets Temporal retry what may pass', async () => {
    let attempts = 0;
    const recorder = recordingActivities(planOf({ a: { phase: 1 } }), {
      applyRelease: () => {
        attempts = activityInfo().attempt;
        return attempts < 3
          ? Promise.reject(ApplicationFailure.retryable('connection refused', FAILURES.unreachable))
          : Promise.resolve({ changed: true, revision: 1, seconds: 0 });
      },
    });
    const { result } = await deployment(recorder.activities);
    assert.equal(result.outcome, 'succeeded');
    assert.equal(attempts, 3);
  });

  test('a database is kept before a migration that cannot be taken back; where that fails, the migration does not run', async () => {
    const plan = planOf({
      schema: { phase: 1, action: 'upgrade', job: true },
      web: { phase: 1, dependsOn: ['schema'], action: 'upgrade' },
    });
    Object.assign(plan.services[0]!.steps[0]!, { checkpoint: { database: 'db/main', before: ['V2__drop.sql'] } });
    const recorder = recordingActivities(plan);
    const { result } = await deployment(recorder.activities);
    assert.deepEqual(recorder.log.slice(0, 4), ['namespaces', 'checkpoint db/main', 'apply schema', 'healthy schema']);
    assert.deepEqual(result.notes, ['The database db/main as it was before V2__drop.sql: /backups/one']);
    const failing = recordingActivities(plan, {
      takeCheckpoint: () =>
        Promise.reject(
          ApplicationFailure.create({ message: 'pg_dump ended with 1', type: 'InvalidInput', nonRetryable: true }),
        ),
    });
    const failed = await deployment(failing.activities);
    assert.deepEqual(
      [failed.result.outcome, statesOf(failed.result), failing.log.filter((line) => line.startsWith('apply'))],
      ['failed', { schema: 'failed', web: 'skipped' }, []],
    );
  });

  test('runs the initialisation of Vault as its own activities in order', async () => {
    const plan = planOf({ vault: { phase: 1 } });
    plan.services[0]?.steps.push({
      kind: 'vault-init',
      name: 'vault-init',
      namespace: 'test',
      job: false,
      action: 'install',
      reason: 'not configured',
      digest: 'x',
    });
    const recorder = recordingActivities(plan);
    await deployment(recorder.activities);
    assert.deepEqual(recorder.log, [
      'namespaces',
      'apply vault',
      'healthy vault',
      'openVault',
      'configureVault',
      'seedVault',
      'syncSecrets',
      'openVault',
      'schedule',
      'version of deploy',
      'result succeeded',
    ]);
  });

  test('one lock per environment and cluster: a second start attaches or is refused', async () => {
    const request = input();
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const recorder = recordingActivities(planOf({ a: { phase: 1 } }), {
      awaitHealthy: async () => {
        await gate;
        return { seconds: 0, proof: '' };
      },
    });
    await engine.withWorker(recorder.activities, async () => {
      const first = await startOrAttach(engine.client, 'deploy', request, 'refuse');
      await assert.rejects(
        startOrAttach(engine.client, 'deploy', request, 'refuse'),
        (error) =>
          error instanceof DeploymentRunningError &&
          error.running?.runId === first.runId &&
          error.message.includes('started by tester@host, since'),
      );
      const second = await startOrAttach(engine.client, 'deploy', request, 'attach');
      const { holder, ...attached } = second;
      assert.deepEqual(attached, { ...first, attached: true });
      assert.deepEqual([holder?.operation, holder?.requestedBy, holder?.workers], ['deploy', 'tester@host', 1]);
      release();
      const [one, two] = await Promise.all(
        [first, second].map((run) => followDeployment(engine.client, run, { onEvent: () => undefined })),
      );
      assert.deepEqual(one, two);
    });
    assert.equal(recorder.log.filter((line) => line === 'apply a').length, 1);
  });

  test('cancelled: children stop, the running activity ends first, the result says what was done', async () => {
    const request = input();
    let ended = false;
    const recorder = recordingActivities(
      planOf({ done: { phase: 1 }, slow: { phase: 2, dependsOn: ['done'] }, never: { phase: 3, dependsOn: ['slow'] } }),
      {
        applyRelease: async ({ step }) => {
          if (step.name === 'slow') {
            const beat = setInterval(() => {
              heartbeat();
            }, 200);
            try {
              await activitySleep('1 minute');
            } finally {
              clearInterval(beat);
              await sleep(300);
              ended = true;
            }
          }
          return { changed: true, revision: 1, seconds: 0 };
        },
      },
    );
    const result = await engine.withWorker(recorder.activities, async () => {
      const run = await startOrAttach(engine.client, 'deploy', request, 'refuse');
      return followDeployment(engine.client, run, {
        onEvent: (event) => {
          if (event.kind === 'progress' && event.event.service === 'slow' && event.event.state === 'applying')
            void engine.client.workflow.getHandle(run.workflowId, run.runId).cancel();
        },
      });
    });
    assert.equal(ended, true);
    assert.equal(result.outcome, 'cancelled');
    assert.deepEqual(statesOf(result), { done: 'healthy', slow: 'cancelled', never: 'cancelled' });
    assert.equal((await describeDeployment(engine.client, { workflowId: result.workflowId }))?.status, 'CANCELLED');
    assert.equal(recorder.log.at(-1), 'result cancelled');
  });

  test('a deadline stops it in good order', async () => {
    const recorder = recordingActivities(planOf({ a: { phase: 1 } }), {
      awaitHealthy: async () => {
        const beat = setInterval(() => {
          heartbeat();
        }, 200);
        try {
          await activitySleep('1 minute');
        } finally {
          clearInterval(beat);
        }
        return { seconds: 0, proof: '' };
      },
    });
    const { result } = await deployment(recorder.activities, input({ timeoutSeconds: 1 }));
    assert.equal(result.outcome, 'failed');
    assert.match(result.failure?.message ?? '', /not done within its 1 s/);
    assert.deepEqual(statesOf(result), { a: 'cancelled' });
  });

  test('a plan that cannot be made fails with its reason', async () => {
    const recorder = recordingActivities(planOf({}), {
      makePlan: () =>
        Promise.reject(ApplicationFailure.nonRetryable('environments/test.yaml: unknown key', FAILURES.invalidInput)),
    });
    const { result } = await deployment(recorder.activities);
    assert.equal(result.outcome, 'failed');
    assert.deepEqual(result.failure, { type: FAILURES.invalidInput, message: 'environments/test.yaml: unknown key' });
  });

  test('the newest deployment of an environment is found without its cluster', async () => {
    const { result } = await deployment(
      recordingActivities(planOf({ a: { phase: 1 } })).activities,
      input({ environment: 'found' }),
    );
    for (let attempt = 0; attempt < 600; attempt += 1) {
      const latest = await latestDeployment(engine.client, 'found');
      if (latest?.status === 'COMPLETED') {
        assert.equal(latest.runId, result.runId);
        return;
      }
      await sleep(100);
    }
    assert.fail('visibility never showed it');
  });
});

describe('what is told outside', () => {
  test('that it begins and how it ended: beside the operation, tried again, and kept where it is given up', async () => {
    const plan: OperationPlan = { ...planOf({ api: { phase: 1 } }), notifications: ['end', 'start'] };
    const made = completed(plan, { verb: 'deploy' }, { notify: TOLD });
    let over = false;
    const starts: boolean[] = [];
    const { activities, log } = recordingActivities(made, {
      addressNotification: ({ run: { environment, workflowId, runId }, event, title, lines }) =>
        Promise.resolve({
          targets: event === 'start' ? ['chat'] : ['chat', 'pager'],
          notification: { id: event, event, environment, title, lines, workflowId, runId, at: '2026-01-01' },
        }),
      deliverNotification: async ({ target, notification: { event, title } }) => {
        if (event === 'start') {
          starts.push(over);
          // The receiver hangs for as long as the deployment takes, then asks for a moment.
          while (!over) await activitySleep(20);
          if (starts.length === 1) return { delivered: false, text: 'answered 429', retryAfterSeconds: 1 };
        }
        log.push(`tell ${target}: ${title}`);
        return target === 'pager'
          ? { delivered: false, text: 'answered 404', permanent: true }
          : { delivered: true, text: 'answered 200' };
      },
      settleNotification: ({ delivery: { target, attempts, text } }) => {
        log.push(`keep ${target} after ${attempts}: ${text}`);
        return Promise.resolve({ letter: 'letter-1' });
      },
    });
    await engine.withWorker(activities, async () => {
      const run = await startOrAttach(engine.client, 'deploy', input(), 'refuse');
      const { outcome, version } = await followDeployment(engine.client, run, { onEvent: () => undefined });
      assert.deepEqual([outcome, version], ['succeeded', 1]);
      over = true;
      await eventually(() => assert.ok(log.includes('tell chat: The deployment to test begins')));
      await eventually(() => assert.ok(log.includes('keep pager after 1: answered 404')));
    });
    assert.deepEqual(starts, [false, true]);
    assert.ok(log.some((line) => /^tell chat: The deployment to test succeeded after \d+ s$/.test(line)));
    assert.equal(log.filter((line) => line.startsWith('keep')).length, 1);
  });

  test('a deployment without a plan: whoever tells looks who wants to know', async () => {
    const { activities, told } = recordingActivities(planOf({ api: { phase: 1 } }), {
      makePlan: () => Promise.reject(ApplicationFailure.nonRetryable('no such image', FAILURES.invalidInput)),
    });
    await engine.withWorker(activities, async () => {
      const run = await startOrAttach(engine.client, 'deploy', input(), 'refuse');
      await followDeployment(engine.client, run, { onEvent: () => undefined });
      await eventually(() => assert.ok(told.includes('tell chat failure')));
    });
    assert.ok(!told.some((line) => line.startsWith('keep') || line.startsWith('forget')));
  });

  test('once, where somebody waits for the answer; what arrives at last is forgotten', async () => {
    const { activities, told } = recordingActivities(planOf({ api: { phase: 1 } }), {
      deliverNotification: ({ notification: { event } }) =>
        Promise.resolve({ delivered: event !== 'test', text: event === 'test' ? 'answered 500' : 'answered 200' }),
    });
    const run = { environment: 'test', clusterUid: 'uid', imageTags: {}, workflowId: 'notify/test', runId: 'by-hand' };
    const tell = (more: Partial<NotificationInput>): Promise<NotificationResult> =>
      engine.client.workflow.execute(WORKFLOW_TYPES.notification, {
        taskQueue: taskQueueOf('test'),
        workflowId: `notify/test/${newClusterUid()}`,
        args: [{ run, event: 'test', title: 'Test', lines: [], once: true, ...more }],
      });
    await engine.withWorker(activities, async () => {
      assert.deepEqual((await tell({})).deliveries, [
        { target: 'chat', delivered: false, attempts: 1, text: 'answered 500' },
      ]);
      assert.deepEqual(told, []);
      const notification: Notification = {
        id: 'msg_1',
        event: 'failure',
        environment: 'test',
        title: 'It failed',
        lines: [],
        workflowId: 'deploy/test/uid',
        runId: 'run-1',
        at: '2026-01-01',
      };
      const letter = { id: '1', environment: 'test', target: 'ops', at: '', attempts: 7, error: '', notification };
      const { deliveries } = await tell({ event: 'failure', letter });
      assert.deepEqual(deliveries, [{ target: 'ops', delivered: true, attempts: 1, text: 'answered 200' }]);
      assert.deepEqual(told, ['forget ops']);
    });
  });
});
