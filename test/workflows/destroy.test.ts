import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { followDeployment, startOrAttach } from '../../src/clients/temporal/index.ts';
import type { OperationResult, RemainingObject } from '../../src/contract/operations/deploy.ts';
import type { DestroyInput } from '../../src/contract/operations/destroy.ts';
import { FAILURES } from '../../src/contract/failures.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { OperationPlan } from '../../src/contract/operations/plan.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { planOf, recordingActivities } from '../support/plans.ts';

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(async () => {
  await engine.close();
});

async function destruction(activities: Activities, extra: Partial<DestroyInput> = {}): Promise<OperationResult> {
  const input: DestroyInput = {
    environment: 'test',
    clusterUid: newClusterUid(),
    requestedBy: 'tester@host',
    deleteData: false,
    ...extra,
  };
  return engine.withWorker(activities, async () => {
    const run = await startOrAttach(engine.client, 'destroy', input, 'refuse');
    return followDeployment(engine.client, run, { onEvent: () => undefined });
  });
}

/** As a destruction turns it around: `dependsOn` are those that have to go first. */
const planToDestroy = (): OperationPlan => ({
  ...planOf({
    store: { phase: 2, dependsOn: ['api', 'worker'], action: 'remove' },
    api: { phase: 9, dependsOn: ['web'], action: 'remove' },
    worker: { phase: 9, action: 'remove' },
    web: { phase: 12, action: 'remove' },
  }),
  operation: 'destroy',
  prerequisites: false,
});
const statesOf = ({ services }: OperationResult): Record<string, string> =>
  Object.fromEntries(services.map(({ name, state }) => [name, state]));
const withoutOthers = (log: string[]): string[] => log.filter((line) => /^(remove|remains|result|version)/.test(line));

describe('destroy', () => {
  test('what is no longer as it was shown is refused before anything is touched', async () => {
    const recorder = recordingActivities(planToDestroy(), {
      planDestroy: ({ expectedDigest }) =>
        Promise.reject(ApplicationFailure.nonRetryable(`shown was ${expectedDigest}`, FAILURES.planOutdated)),
    });
    const result = await destruction(recorder.activities, { expectedDigest: 'another' });
    assert.deepEqual([result.failure?.message, recorder.log], ['shown was another', ['result failed']]);
  });

  test('dependents go first, across phases; what no release holds goes when all releases have gone', async () => {
    const recorder = recordingActivities(planToDestroy());
    const result = await destruction(recorder.activities);
    assert.equal(result.outcome, 'succeeded');
    assert.deepEqual(statesOf(result), { store: 'removed', api: 'removed', worker: 'removed', web: 'removed' });
    const { log } = recorder;
    assert.ok(
      log.indexOf('remove web') < log.indexOf('remove api') &&
        log.indexOf('remove api') < log.indexOf('remove store') &&
        log.indexOf('remove worker') < log.indexOf('remove store'),
    );
    assert.deepEqual(withoutOthers(log).slice(-3), ['remove store', 'remains', 'result succeeded']);
  });

  test('the steps of a service in the order of the plan', async () => {
    const plan = planToDestroy();
    const step = plan.services[0]!.steps[0]!;
    plan.services[0]!.steps = [{ ...step, name: 'store-databases', job: true }, step];
    const recorder = recordingActivities(plan);
    await destruction(recorder.activities);
    assert.deepEqual(
      recorder.log.filter((line) => line.startsWith('remove store')),
      ['remove store-databases', 'remove store'],
    );
  });

  test('one that cannot be removed keeps what it needs, nothing else; Secrets and namespaces stay', async () => {
    const recorder = recordingActivities(planToDestroy(), {
      removeRelease: ({ step }) => {
        if (step.name === 'api')
          return Promise.reject(ApplicationFailure.nonRetryable('Pod api-0: held by finalizer x', FAILURES.stuck));
        recorder.log.push(`remove ${step.name}`);
        return Promise.resolve({ removed: true, seconds: 0 });
      },
    });
    const result = await destruction(recorder.activities);
    assert.equal(result.outcome, 'failed');
    assert.deepEqual(statesOf(result), { store: 'skipped', api: 'failed', worker: 'removed', web: 'removed' });
    assert.match(
      result.services.find(({ name }) => name === 'store')?.failure?.message ?? '',
      /^api, which depends on it, could not be removed/,
    );
    assert.equal(result.services.find(({ name }) => name === 'api')?.failure?.evidence, '/evidence/api.txt');
    assert.ok(!recorder.log.includes('remains'));
    assert.equal(result.remains, undefined);
  });

  test('what hangs is a failure that names it; what was kept is none', async () => {
    const kept: RemainingObject = {
      kind: 'Namespace',
      name: 'data',
      state: 'kept',
      reason: 'it holds 2 volumes that stay',
    };
    const held: RemainingObject = {
      kind: 'Namespace',
      name: 'apps',
      state: 'stuck',
      reason: 'ConfigMap x is held by finalizer example.com/hold',
    };
    const fine = await destruction(
      recordingActivities(planToDestroy(), { removeRemains: () => Promise.resolve({ removed: [], remains: [kept] }) })
        .activities,
    );
    assert.deepEqual([fine.outcome, fine.remains], ['succeeded', [kept]]);
    const result = await destruction(
      recordingActivities(planToDestroy(), {
        removeRemains: () => Promise.resolve({ removed: [], remains: [kept, held] }),
      }).activities,
    );
    assert.deepEqual([result.outcome, result.failure?.type, result.remains], ['failed', FAILURES.stuck, [kept, held]]);
    assert.match(
      result.failure?.message ?? '',
      /Namespace apps: ConfigMap x is held by finalizer example\.com\/hold\n.*run destroy again/,
    );
  });

  test('nothing there: unchanged; only remains there: something was done', async () => {
    const idle = { ...planOf({ a: { phase: 1, action: 'unchanged' } }), operation: 'destroy' as const };
    assert.equal((await destruction(recordingActivities(idle).activities)).outcome, 'unchanged');
    const removed = recordingActivities(idle, {
      removeRemains: () => Promise.resolve({ removed: ['Namespace apps'], remains: [] }),
    });
    assert.equal((await destruction(removed.activities)).outcome, 'succeeded');
  });

  test('whether data go is passed on to those who decide', async () => {
    const seen: boolean[] = [];
    const recorder = recordingActivities(planToDestroy(), {
      planDestroy: ({ deleteData }) => {
        seen.push(deleteData);
        return Promise.resolve(planToDestroy());
      },
      removeRemains: ({ deleteData }) => {
        seen.push(deleteData);
        return Promise.resolve({ removed: [], remains: [] });
      },
    });
    await destruction(recorder.activities, { deleteData: true });
    assert.deepEqual(seen, [true, true]);
  });
});
