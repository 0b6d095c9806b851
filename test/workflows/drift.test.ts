import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities, NotifyInput, RecordDriftInput } from '../../src/contract/activities.ts';
import type { DriftFinding, DriftInput, DriftMode, DriftResult } from '../../src/contract/drift.ts';
import { FAILURES } from '../../src/contract/failures.ts';
import { operationWorkflowId, driftScheduleId, taskQueueOf, WORKFLOW_TYPES } from '../../src/contract/names.ts';
import { SEARCH_ATTRIBUTES } from '../../src/contract/search-attributes.ts';
import type { NotificationInput } from '../../src/contract/notifications.ts';
import type { NotifyEvent } from '../../src/contract/notify-events.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { driftReport, planOf, recordingActivities } from '../support/plans.ts';

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(async () => {
  await engine.close();
});

const finding = (key: string, more: Partial<DriftFinding> = {}): DriftFinding => ({
  key,
  kind: 'changed',
  area: 'kubernetes',
  object: `Deployment test/${key}`,
  field: 'spec.replicas',
  was: '1',
  is: '3',
  valueDigest: 'x',
  repair: 'field',
  ...more,
});
const plan = planOf({ a: { phase: 1, action: 'unchanged' } });

interface World {
  /** Findings of each look; the last entry holds for all later ones. */
  looks?: DriftFinding[][];
  flapping?: string[];
  /** What the environment's file says by now. */
  now?: DriftMode;
  /** Absent: the schedule started it. */
  requestedBy?: string;
  /** Digests of the plan that a person was shown, and of what is there now. */
  shown?: string;
  repairDigest?: string;
  preview?: true;
  overrides?: Partial<Activities>;
  /** What comes after the run, before its worker ends. */
  until?: () => void;
}

interface Ran {
  result: DriftResult;
  log: string[];
  told: NotifyInput[];
  recorded: RecordDriftInput[];
  workflowId: string;
  clusterUid: string;
}

async function driftRun(
  mode: DriftInput['mode'],
  { looks = [[]], flapping = [], now, requestedBy, shown, repairDigest, preview, overrides = {}, until }: World,
): Promise<Ran> {
  const clusterUid = newClusterUid();
  const told: NotifyInput[] = [];
  const recorded: RecordDriftInput[] = [];
  let look = 0;
  const { activities, log } = recordingActivities(plan, {
    findDrift: () => {
      const findings = looks[Math.min(look, looks.length - 1)]!;
      look += 1;
      return Promise.resolve({
        report: driftReport(findings),
        flapping: findings.map(({ key }) => key).filter((key) => flapping.includes(key)),
        ...(now === undefined ? {} : { mode: now }),
        ...(repairDigest === undefined ? {} : { repairDigest }),
      });
    },
    notify: (input) => {
      told.push(input);
      return Promise.resolve({ sent: true });
    },
    recordDrift: (input) => {
      recorded.push(input);
      return Promise.resolve();
    },
    ...overrides,
  });
  const workflowId = driftScheduleId('test', clusterUid);
  const result = await engine.withWorker(activities, async () => {
    const handle = await engine.client.workflow.start(WORKFLOW_TYPES.drift, {
      taskQueue: taskQueueOf('test'),
      workflowId,
      args: [
        {
          environment: 'test',
          clusterUid,
          mode,
          ...(requestedBy === undefined ? {} : { requestedBy }),
          ...(shown === undefined ? {} : { expectedDigest: shown }),
          ...(preview === undefined ? {} : { preview }),
        } satisfies DriftInput,
      ],
    });
    try {
      return (await handle.result()) as DriftResult;
    } finally {
      if (until) await eventually(until);
    }
  });
  return { result, log, told, recorded, workflowId, clusterUid };
}

describe('drift', () => {
  test('clean: remembered, nobody is told', async () => {
    const { result, told, recorded, workflowId } = await driftRun('repair', {});
    assert.equal(result.outcome, 'clean');
    assert.deepEqual(told, []);
    assert.deepEqual(
      recorded.map(({ outcome, attempted, findings }) => ({ outcome, attempted, findings })),
      [{ outcome: 'clean', attempted: [], findings: 0 }],
    );
    const { typedSearchAttributes } = await engine.client.workflow.getHandle(workflowId).describe();
    assert.equal(typedSearchAttributes.get(SEARCH_ATTRIBUTES.drift), 'clean');
  });

  test('a preview is neither remembered nor told, and says what a repair would be bound to', async () => {
    const { result, log, told, recorded } = await driftRun('report', {
      looks: [[finding('a')]],
      requestedBy: 'a@b',
      repairDigest: 'd1',
      preview: true,
    });
    assert.deepEqual([result.outcome, result.repairDigest, told, recorded], ['drifted', 'd1', [], []]);
    assert.ok(!log.includes('plan repair'));
  });

  for (const [shown, outcome] of [
    ['d1', 'repaired'],
    ['d0', 'skipped'],
  ] as const)
    test(`shown was ${shown}, there is d1: ${outcome}`, async () => {
      const { result, log } = await driftRun('repair', {
        looks: [[finding('a')], []],
        requestedBy: 'a@b',
        shown,
        repairDigest: 'd1',
      });
      assert.equal(result.outcome, outcome);
      assert.equal(
        log.some((line) => line.startsWith('result')),
        outcome === 'repaired',
      );
      if (outcome === 'skipped')
        assert.match(result.reason ?? '', /no longer what was shown, and nothing was repaired/);
    });

  test('in mode report nothing is repaired, and the findings are told', async () => {
    const { result, log, told } = await driftRun('report', { looks: [[finding('a')]] });
    assert.equal(result.outcome, 'drifted');
    assert.deepEqual(log, []);
    assert.equal(told.length, 1);
    assert.match(told[0]!.title, /Drift on test: 1 finding \(1 changed\)/);
    assert.match(told[0]!.lines[0]!, /^found: \w{6} Deployment test\/a spec\.replicas \(1 → 3\)$/);
    assert.deepEqual(told[0]!.about, ['drifted', 'changed a']);
  });

  test('in mode repair under the lock, then looked at again', async () => {
    const asked: string[][] = [];
    const { result, log, told, recorded, clusterUid } = await driftRun('repair', {
      looks: [[finding('a'), finding('b', { repair: undefined })], [finding('b', { repair: undefined })]],
      overrides: {
        planRepair: ({ findings }) => {
          asked.push(findings.map(({ key }) => key));
          return Promise.resolve({ ...plan, operation: 'repair' });
        },
      },
    });
    assert.deepEqual(asked, [['a']]);
    assert.ok(log.includes('repair findings'));
    assert.equal(result.outcome, 'drifted');
    assert.deepEqual(result.repaired, ['a']);
    assert.deepEqual(
      result.remaining?.map(({ key }) => key),
      ['b'],
    );
    assert.deepEqual(recorded[0]?.attempted, ['a']);
    assert.match(told[0]!.lines.join('\n'), /^repaired: .*test\/a.*\nfound: .*test\/b/);
    const held = await engine.client.workflow.getHandle(operationWorkflowId('test', clusterUid)).describe();
    assert.equal(held.type, 'repair');
    assert.deepEqual(held.memo, { operation: 'repair', requestedBy: 'the drift schedule' });
    assert.equal(held.typedSearchAttributes.get(SEARCH_ATTRIBUTES.operation), 'repair');
  });

  test('repaired when nothing is left', async () => {
    const { result, workflowId } = await driftRun('repair', { looks: [[finding('a')], []] });
    assert.equal(result.outcome, 'repaired');
    assert.deepEqual(result.remaining, []);
    assert.equal(
      (await engine.client.workflow.getHandle(workflowId).describe()).typedSearchAttributes.get(
        SEARCH_ATTRIBUTES.drift,
      ),
      'repaired',
    );
  });

  test('skipped while an operation holds the lock: nothing is looked at, nobody is told', async () => {
    let looked = false;
    const { result, told, recorded } = await driftRun('repair', {
      overrides: {
        lockHolder: () =>
          Promise.resolve({
            holder: {
              operation: 'deploy',
              requestedBy: 'somebody@host',
              workflowId: 'w',
              runId: 'r',
              since: '2026-01-01T00:00:00Z',
              workers: 1,
            },
          }),
        findDrift: () => {
          looked = true;
          return Promise.reject(new Error('not now'));
        },
      },
    });
    assert.equal(result.outcome, 'skipped');
    assert.equal(result.reason, 'deploy by somebody@host holds the lock since 2026-01-01T00:00:00Z');
    assert.deepEqual([looked, told.length, recorded[0]?.outcome], [false, 0, 'skipped']);
  });

  test('skipped when an operation takes the lock between the look and the repair', async () => {
    const clusterUid = newClusterUid();
    const { activities, log } = recordingActivities(plan, {
      findDrift: async () => {
        await engine.client.workflow.start(WORKFLOW_TYPES.deploy, {
          taskQueue: 'nobody',
          workflowId: operationWorkflowId('test', clusterUid),
          args: [],
        });
        return { report: driftReport([finding('a')]), flapping: [] };
      },
    });
    const result = (await engine.withWorker(activities, () =>
      engine.client.workflow.execute(WORKFLOW_TYPES.drift, {
        taskQueue: taskQueueOf('test'),
        workflowId: driftScheduleId('test', clusterUid),
        args: [{ environment: 'test', clusterUid, mode: 'repair' }],
      }),
    )) as DriftResult;
    assert.equal(result.outcome, 'skipped');
    assert.match(result.reason ?? '', /took the lock before the repair could/);
    assert.deepEqual(log, ['drift skipped']);
    await engine.client.workflow.getHandle(operationWorkflowId('test', clusterUid)).terminate();
  });

  test('an operation that began while it looked: what was seen meanwhile does not count, nobody is told', async () => {
    let asked = 0;
    const { result, log, told } = await driftRun('report', {
      looks: [[finding('a')]],
      overrides: {
        lockHolder: () => {
          asked += 1;
          return Promise.resolve(
            asked === 1
              ? {}
              : {
                  holder: {
                    operation: 'destroy',
                    requestedBy: 'somebody@host',
                    workflowId: 'w',
                    runId: 'r',
                    since: '2026-01-01T00:00:00Z',
                    workers: 1,
                  },
                },
          );
        },
      },
    });
    assert.equal(result.outcome, 'skipped');
    assert.match(
      result.reason ?? '',
      /^destroy by somebody@host holds the lock since .*: what was seen meanwhile does not count$/,
    );
    assert.deepEqual([result.report, told, log], [undefined, [], []]);
  });

  const MODES: [
    registered: DriftInput['mode'],
    now: DriftMode,
    requestedBy: string | undefined,
    outcome: string,
    repairs: boolean,
  ][] = [
    ['repair', 'report', undefined, 'drifted', false],
    ['report', 'repair', undefined, 'repaired', true],
    ['repair', 'off', undefined, 'skipped', false],
    ['repair', 'report', 'me@host', 'repaired', true],
    ['report', 'repair', 'me@host', 'drifted', false],
  ];
  for (const [registered, now, requestedBy, outcome, repairs] of MODES) {
    test(`${requestedBy === undefined ? 'the schedule, registered with' : 'a person, who asks for'} ${registered}, and a file that says ${now} by now: ${outcome}`, async () => {
      const { result, log } = await driftRun(registered, {
        looks: [[finding('a')], repairs ? [] : [finding('a')]],
        now,
        ...(requestedBy === undefined ? {} : { requestedBy }),
      });
      assert.deepEqual([result.outcome, log.includes('repair findings')], [outcome, repairs]);
    });
  }

  test('what could not be repaired is said, in the result and to whoever is told', async () => {
    const refused = 'ConfigMap test/a could not be repaired: a webhook says no';
    const { result, told } = await driftRun('repair', {
      looks: [[finding('a'), finding('b')], [finding('a')]],
      overrides: { repairFindings: () => Promise.resolve({ repaired: ['b'], refused: [refused] }) },
    });
    assert.deepEqual([result.outcome, result.reason, result.repaired], ['drifted', refused, ['b']]);
    assert.equal(told[0]?.lines.at(-1), refused);
  });

  test('what flaps is left alone and told with the way on; what was not seen is never repaired', async () => {
    const { result, log, told } = await driftRun('repair', {
      looks: [[finding('a'), finding('b', { kind: 'not-observable' })]],
      flapping: ['a'],
    });
    assert.equal(result.outcome, 'drifted');
    assert.deepEqual(result.flapping, ['a']);
    assert.deepEqual(log, []);
    assert.match(
      told[0]!.lines.join('\n'),
      /flaps, left alone: .*test\/a[^]*drift reset KEY --env test[^]*drift accept KEY --env test/,
    );
  });

  test('a repair that fails: the run fails with the reason, and what was tried is counted', async () => {
    let counted: string[] = [];
    let attributes: string | undefined;
    await assert.rejects(
      driftRun('repair', {
        looks: [[finding('a')]],
        overrides: {
          planRepair: () => Promise.reject(ApplicationFailure.nonRetryable('the chart is gone', FAILURES.chartInvalid)),
          recordDrift: ({ attempted, outcome }) => {
            counted = attempted;
            attributes = outcome;
            return Promise.resolve();
          },
        },
      }),
      (error) =>
        error instanceof WorkflowFailedError &&
        error.cause instanceof ApplicationFailure &&
        error.cause.type === FAILURES.driftFailed &&
        /the repair failed: the chart is gone/.test(error.cause.message),
    );
    assert.deepEqual([counted, attributes], [['a'], 'failed']);
  });

  test('what cannot be compared fails the run, and is told', async () => {
    const told: string[] = [];
    await assert.rejects(
      driftRun('report', {
        overrides: {
          findDrift: () =>
            Promise.reject(ApplicationFailure.nonRetryable('another cluster answers', FAILURES.clusterMismatch)),
          addressNotification: ({ title }) => {
            told.push(title);
            return Promise.reject(ApplicationFailure.nonRetryable('nobody answers', FAILURES.forbidden));
          },
        },
        until: () => assert.deepEqual(told, ['The drift run on test failed: another cluster answers']),
      }),
      WorkflowFailedError,
    );
    assert.deepEqual(told, ['The drift run on test failed: another cluster answers']);
  });

  test('where the environment names whom, they are told beside the run; what was repaired as a repair', async () => {
    const heard: string[] = [];
    const overrides = {
      notify: () => Promise.reject(ApplicationFailure.nonRetryable('told here', FAILURES.forbidden)),
      addressNotification: ({ event, about = [] }: NotificationInput) => {
        heard.push(`${event}: ${about.join(', ')}`);
        return Promise.reject(ApplicationFailure.nonRetryable('nobody answers', FAILURES.forbidden));
      },
    };
    const looked = (...notifications: NotifyEvent[]): Partial<Activities> => ({
      ...overrides,
      findDrift: () => Promise.resolve({ report: driftReport([finding('a')]), flapping: [], notifications }),
    });
    const { result } = await driftRun('report', {
      overrides: looked('gate', 'drift'),
      until: () => assert.equal(heard.length, 1),
    });
    assert.equal(result.outcome, 'drifted');
    assert.deepEqual(heard, ['drift: drifted, changed a']);
    let repaired = false;
    await driftRun('repair', {
      overrides: {
        ...looked(),
        findDrift: () =>
          Promise.resolve({
            report: driftReport(repaired ? [] : [finding('a')]),
            flapping: [],
            notifications: ['repair'],
          }),
        repairFindings: ({ findings }) => {
          repaired = true;
          return Promise.resolve({ repaired: findings.map(({ key }) => key) });
        },
      },
      until: () => assert.equal(heard.length, 2),
    });
    assert.equal(heard[1], 'repair: repaired, repaired a');
    // No target wants notifications of drift.
    assert.equal((await driftRun('report', { overrides: looked('gate') })).result.outcome, 'drifted');
    assert.equal(heard.length, 2);
  });

  test('neither a memory nor a messenger that fails is in the way', async () => {
    const refuse = (): Promise<never> => Promise.reject(ApplicationFailure.nonRetryable('no', FAILURES.forbidden));
    const { result } = await driftRun('report', {
      looks: [[finding('a')]],
      overrides: { recordDrift: refuse, notify: refuse },
    });
    assert.equal(result.outcome, 'drifted');
  });

  test('the repair stopped from outside: the run ends and says so', async () => {
    const clusterUid = newClusterUid();
    const lock = engine.client.workflow.getHandle(operationWorkflowId('test', clusterUid));
    const { activities } = recordingActivities(plan, {
      findDrift: () => Promise.resolve({ report: driftReport([finding('a')]), flapping: [] }),
      planRepair: async () => {
        await lock.cancel();
        await lock.result().catch(() => undefined);
        return plan;
      },
    });
    const result = (await engine.withWorker(activities, () =>
      engine.client.workflow.execute(WORKFLOW_TYPES.drift, {
        taskQueue: taskQueueOf('test'),
        workflowId: driftScheduleId('test', clusterUid),
        args: [{ environment: 'test', clusterUid, mode: 'repair' }],
      }),
    )) as DriftResult;
    assert.equal(result.outcome, 'drifted');
    assert.match(result.reason ?? '', /stopped from outside/);
  });

  test('drifted runs are found by their search attribute', async () => {
    const { workflowId } = await driftRun('report', { looks: [[finding('a')]] });
    const found = async (): Promise<string[]> => {
      const ids: string[] = [];
      for await (const { workflowId: id } of engine.client.workflow.list({
        query: "WorkflowType = 'drift' AND AnantaDrift = 'drifted'",
      }))
        ids.push(id);
      return ids;
    };
    for (const until = Date.now() + 60_000; !(await found()).includes(workflowId); ) {
      assert.ok(Date.now() < until, 'visibility never showed it');
      await sleep(100);
    }
  });
});
