import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { followDeployment, startOrAttach } from '../../src/clients/temporal/index.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { OperationResult } from '../../src/contract/operations/deploy.ts';
import { exitCodeOf } from '../../src/cli/deploy/watch.ts';
import { EXIT_CODES, FAILURES } from '../../src/contract/failures.ts';
import type { OperationPlan } from '../../src/contract/operations/plan.ts';
import type { RollbackInput } from '../../src/contract/operations/rollback.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { planOf, recordingActivities } from '../support/plans.ts';

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(async () => {
  await engine.close();
});

function uid(): string {
  return newClusterUid();
}

/** A way back: what depends on others goes first. */
function wayBack(graph: Parameters<typeof planOf>[0], more: Partial<OperationPlan> = {}): OperationPlan {
  return { ...planOf(graph), operation: 'rollback', toVersion: 2, ...more };
}

async function rollback(activities: Activities, more: Partial<RollbackInput> = {}): Promise<OperationResult> {
  return engine.withWorker(activities, async () => {
    const run = await startOrAttach(
      engine.client,
      'rollback',
      { environment: 'test', clusterUid: uid(), requestedBy: 'tester@host', pastNoReturn: false, ...more },
      'refuse',
    );
    return followDeployment(engine.client, run, { onEvent: () => undefined });
  });
}

/** A deployment of which `bad` fails, in an environment that takes back what it changed. */
async function failingDeploy(overrides: Partial<Activities>): Promise<{ result: OperationResult; log: string[] }> {
  const plan: OperationPlan = {
    ...planOf({ good: { phase: 1, action: 'upgrade' }, bad: { phase: 2, dependsOn: ['good'], action: 'upgrade' } }),
    onFailure: 'rollback',
  };
  const recorder = recordingActivities(plan, {
    awaitHealthy: ({ step }) =>
      step.name === 'bad' && step.action === 'upgrade'
        ? Promise.reject(ApplicationFailure.nonRetryable('bad does not start', FAILURES.notHealthyInTime))
        : Promise.resolve({ seconds: 0, proof: '' }),
    ...overrides,
  });
  const result = await engine.withWorker(recorder.activities, async () => {
    const run = await startOrAttach(
      engine.client,
      'deploy',
      { environment: 'test', clusterUid: uid(), requestedBy: 'tester@host', imageTags: {} },
      'refuse',
    );
    return followDeployment(engine.client, run, { onEvent: () => undefined });
  });
  return { result, log: recorder.log };
}

describe('rollback', () => {
  for (const [what, fits] of [
    ['is as it was shown', true],
    ['has changed since it was shown', false],
  ] as const)
    test(`the way back ${what}: ${fits ? 'it is gone' : 'refused before anything is touched'}`, async () => {
      const plan = wayBack({ a: { phase: 1, action: 'rollback' } });
      const recorder = recordingActivities(plan, {
        planRollback: ({ expectedDigest }) =>
          expectedDigest === plan.digest
            ? Promise.resolve(plan)
            : Promise.reject(ApplicationFailure.nonRetryable(`shown was ${expectedDigest}`, FAILURES.planOutdated)),
      });
      const result = await rollback(recorder.activities, { expectedDigest: fits ? plan.digest : 'another' });
      assert.equal(recorder.log.includes('apply a'), fits);
      assert.equal(result.failure?.message, fits ? undefined : 'shown was another');
      assert.equal(exitCodeOf(result), fits ? EXIT_CODES.done : EXIT_CODES.refused);
    });

  test('collects evidence before anything is touched, rolls back dependents first, records a version', async () => {
    const asked: Record<string, unknown>[] = [];
    const plan = wayBack(
      {
        base: { phase: 1, dependsOn: ['front'], action: 'rollback' },
        front: { phase: 3, action: 'rollback' },
        fine: { phase: 2, action: 'unchanged' },
      },
      { unhealthy: [{ service: 'front', reason: 'CrashLoopBackOff' }], notes: ['a note'] },
    );
    const recorder = recordingActivities(plan, {
      planRollback: (input) => {
        asked.push({ ...input, run: undefined });
        return Promise.resolve(plan);
      },
      recordVersion: (input) => {
        asked.push({ restores: input.restores, operation: input.operation });
        return Promise.resolve({ version: 7 });
      },
      collectEvidence: ({ service, before: first }) => {
        recorder.log.push(`evidence ${service.name}${first ? ' before' : ''}`);
        return Promise.resolve({ evidence: '/evidence/front-before.txt' });
      },
    });
    const result = await rollback(recorder.activities, { toVersion: 2 });
    assert.deepEqual(recorder.log, [
      'evidence front before',
      'apply front',
      'healthy front',
      'apply base',
      'healthy base',
      'openVault',
      'result succeeded',
    ]);
    assert.deepEqual(asked, [
      { run: undefined, pastNoReturn: false, toVersion: 2 },
      { restores: 2, operation: 'rollback' },
    ]);
    assert.equal(result.outcome, 'succeeded');
    assert.equal(result.version, 7);
    assert.equal(result.toVersion, 2);
    assert.deepEqual(result.evidence, [{ service: 'front', file: '/evidence/front-before.txt' }]);
    assert.deepEqual(result.notes, ['a note']);
  });

  test('evidence that cannot be collected does not keep a broken platform broken', async () => {
    const recorder = recordingActivities(
      wayBack({ a: { phase: 1, action: 'rollback' } }, { unhealthy: [{ service: 'a', reason: 'ill' }] }),
      {
        collectEvidence: () =>
          Promise.reject(ApplicationFailure.nonRetryable('no right to read logs', FAILURES.forbidden)),
      },
    );
    const result = await rollback(recorder.activities);
    assert.equal(result.outcome, 'succeeded');
    assert.equal(result.evidence, undefined);
  });

  test('a failure names the evidence from before and from after', async () => {
    const recorder = recordingActivities(
      wayBack({ a: { phase: 1, action: 'rollback' } }, { unhealthy: [{ service: 'a', reason: 'ill' }] }),
      {
        awaitHealthy: () => Promise.reject(ApplicationFailure.nonRetryable('still ill', FAILURES.notHealthyInTime)),
        collectEvidence: ({ before: first }) =>
          Promise.resolve({ evidence: first ? '/evidence/a-before.txt' : '/evidence/a.txt' }),
      },
    );
    const request = { clusterUid: uid() };
    const result = await rollback(recorder.activities, request);
    assert.equal(result.outcome, 'failed');
    assert.equal(result.services[0]?.failure?.evidence, '/evidence/a.txt');
    assert.deepEqual(result.evidence, [{ service: 'a', file: '/evidence/a-before.txt' }]);
    await assert.rejects(engine.client.workflow.getHandle(result.workflowId).result(), (error: Error) =>
      /still ill \(evidence: \/evidence\/a\.txt; before it was touched: \/evidence\/a-before\.txt\)/.test(
        (error.cause as Error).message,
      ),
    );
    assert.ok(!recorder.log.includes('version of rollback'));
  });

  test('a point of no return fails it before anything is touched', async () => {
    const recorder = recordingActivities(planOf({}), {
      planRollback: () =>
        Promise.reject(ApplicationFailure.nonRetryable('would cross V4.sql', FAILURES.pointOfNoReturn)),
    });
    const result = await rollback(recorder.activities);
    assert.equal(result.failure?.type, FAILURES.pointOfNoReturn);
    assert.deepEqual(recorder.log, ['result failed']);
  });

  test('goes on where it was when its worker dies in the middle', async () => {
    const plan = wayBack({
      base: { phase: 1, dependsOn: ['front'], action: 'rollback' },
      front: { phase: 2, action: 'rollback' },
    });
    let plans = 0;
    let reached = (): void => undefined;
    const inTheMiddle = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const first = recordingActivities(plan, {
      planRollback: () => {
        plans += 1;
        return Promise.resolve(plan);
      },
      awaitHealthy: ({ step }) => {
        if (step.name === 'front') return Promise.resolve({ seconds: 0, proof: '' });
        reached();
        return Promise.reject(ApplicationFailure.retryable('the worker goes down', FAILURES.unreachable));
      },
    });
    const run = await engine.withWorker(first.activities, async () => {
      const started = await startOrAttach(
        engine.client,
        'rollback',
        { environment: 'test', clusterUid: uid(), requestedBy: 'tester@host', pastNoReturn: false },
        'refuse',
      );
      await inTheMiddle;
      return started;
    });
    const second = recordingActivities(plan);
    const result = await engine.withWorker(second.activities, () =>
      followDeployment(engine.client, run, { onEvent: () => undefined }),
    );
    assert.equal(result.outcome, 'succeeded');
    assert.equal(plans, 1);
    assert.ok(!second.log.includes('apply front'), 'what was done is not done again');
    assert.deepEqual(second.log, ['healthy base', 'openVault', 'version of rollback', 'result succeeded']);
  });
});

describe('what follows a failed deployment, with onFailure: rollback', () => {
  test('what it changed is taken back, the deployment stays failed and records no version', async () => {
    const undo = wayBack(
      { good: { phase: 1, action: 'rollback' } },
      { notes: ['new was installed by this run and stays'] },
    );
    const takesBack = new Set<string | undefined>();
    const { result, log } = await failingDeploy({
      planUndo: () => Promise.resolve(undo),
      awaitHealthy: ({ run, step }) => {
        takesBack.add(run.undoes);
        return step.action === 'upgrade' && step.name === 'bad'
          ? Promise.reject(ApplicationFailure.nonRetryable('bad does not start', FAILURES.notHealthyInTime))
          : Promise.resolve({ seconds: 0, proof: '' });
      },
    });
    // A release that the failed run has left pending is not waited for: that run waits for this one.
    assert.deepEqual([...takesBack], [undefined, result.runId]);
    assert.equal(result.outcome, 'failed');
    assert.equal(result.undone?.outcome, 'succeeded');
    assert.deepEqual(
      result.undone.services.map(({ name, state }) => [name, state]),
      [['good', 'healthy']],
    );
    assert.deepEqual(result.undone.notes, ['new was installed by this run and stays']);
    assert.ok(log.indexOf('evidence bad') < log.lastIndexOf('apply good'), 'evidence first');
    assert.equal(log.filter((line) => line === 'apply good').length, 2);
    assert.ok(!log.some((line) => line.startsWith('version')));
    assert.equal(result.version, undefined);
  });

  test('an undo that is refused says so, and leaves what there is', async () => {
    const { result, log } = await failingDeploy({
      planUndo: () => Promise.reject(ApplicationFailure.nonRetryable('would cross V4.sql', FAILURES.pointOfNoReturn)),
    });
    assert.equal(result.outcome, 'failed');
    assert.equal(result.undone?.outcome, 'failed');
    assert.equal(result.undone.failure?.type, FAILURES.deployFailed);
    assert.match(result.undone.failure?.message ?? '', /V4\.sql/);
    assert.equal(log.filter((line) => line === 'apply good').length, 1);
  });
});

describe('recording a version', () => {
  test('one that cannot be recorded leaves a success a success, and says what to expect', async () => {
    const recorder = recordingActivities(wayBack({ a: { phase: 1, action: 'rollback' } }), {
      recordVersion: () =>
        Promise.reject(ApplicationFailure.nonRetryable('may not create configmaps', FAILURES.forbidden)),
    });
    const result = await rollback(recorder.activities);
    assert.equal(result.outcome, 'succeeded');
    assert.equal(result.version, undefined);
    assert.match(
      result.notes?.[0] ?? '',
      /No platform version was recorded \(may not create configmaps\)\. The next deployment records/,
    );
  });
});

describe('the schedule of drift runs', () => {
  test('one that cannot be registered leaves a success a success, and is told', async () => {
    const recorder = recordingActivities(planOf({ a: { phase: 1 } }), {
      ensureDriftSchedule: () =>
        Promise.reject(ApplicationFailure.nonRetryable('may not create schedules', FAILURES.forbidden)),
    });
    const result = await engine.withWorker(recorder.activities, async () => {
      const run = await startOrAttach(
        engine.client,
        'deploy',
        { environment: 'test', clusterUid: uid(), requestedBy: 'tester@host', imageTags: {} },
        'refuse',
      );
      return followDeployment(engine.client, run, { onEvent: () => undefined });
    });
    assert.deepEqual([result.outcome, result.version], ['succeeded', 1]);
    assert.match(
      result.notes?.join() ?? '',
      /^The schedule of drift runs could not be registered \(may not create schedules\)/,
    );
  });
});
