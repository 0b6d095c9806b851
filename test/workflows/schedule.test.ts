/**
 * The schedule of drift runs on a real engine: made, changed, removed, left paused; fires, and never overlaps itself.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowFailedError } from '@temporalio/client';
import {
  createSchedules,
  type Schedules,
  type WantedByCron,
  type WantedSchedule,
} from '../../src/clients/temporal/index.ts';
import {
  backupScheduleId,
  driftScheduleId,
  ENGINE_NAMESPACE,
  operationWorkflowId,
  rotationScheduleId,
  taskQueueOf,
} from '../../src/contract/names.ts';
import { SEARCH_ATTRIBUTES } from '../../src/contract/search-attributes.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { planOf, recordingActivities } from '../support/plans.ts';

let engine: TestEngine;
let schedules: Schedules;
before(async () => {
  engine = await startTestEngine();
  schedules = createSchedules(engine.client);
});
after(async () => {
  await engine.close();
});

function wanted(more: Partial<WantedSchedule> = {}, mode: 'repair' | 'report' = 'report'): WantedSchedule {
  const clusterUid = newClusterUid();
  return {
    id: driftScheduleId('test', clusterUid),
    everySeconds: 3600,
    input: { environment: 'test', clusterUid, mode },
    summary: 'Find drift on test',
    ...more,
  };
}

async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + 60_000; ; ) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < end, `${what} did not happen`);
    await sleep(100);
  }
}

describe('schedule of drift runs', () => {
  test('created once, unchanged when asked again, first run one interval away', async () => {
    const one = wanted();
    assert.equal(await schedules.ensure(one), 'created');
    assert.equal(await schedules.ensure(one), 'unchanged');
    const view = await schedules.describe(one.id);
    assert.deepEqual([view?.everySeconds, view?.paused, view?.input], [3600, false, one.input]);
    // Runs that an engine missed while it was down: one is made up for, if it was due at most a minute ago.
    const { policies } = await engine.client.schedule.getHandle(one.id).describe();
    assert.deepEqual([policies.overlap, policies.catchupWindow], ['SKIP', 60_000]);
    const first = Date.parse(view?.next[0] ?? '') - Date.now();
    assert.ok(first > 3_500_000 && first <= 3_601_000, `${first} ms`);
  });

  test('made by two at once, it is one', async () => {
    const one = wanted();
    const done = await Promise.all([schedules.ensure(one), schedules.ensure(one), schedules.ensure(one)]);
    assert.deepEqual(done.sort(), ['created', 'unchanged', 'unchanged']);
  });

  test('changed when interval or mode differ; a pause with its note stays', async () => {
    const one = wanted();
    await schedules.ensure(one);
    assert.equal(await schedules.pause(one.id, 'Paused by somebody: restore'), true);
    assert.equal(await schedules.ensure(one), 'unchanged');
    assert.equal(await schedules.ensure({ ...one, everySeconds: 1800 }), 'updated');
    assert.equal(
      await schedules.ensure({ ...one, everySeconds: 1800, input: { ...one.input, mode: 'repair' } }),
      'updated',
    );
    const view = await schedules.describe(one.id);
    assert.deepEqual(
      [view?.everySeconds, view?.input?.mode, view?.paused, view?.note],
      [1800, 'repair', true, 'Paused by somebody: restore'],
    );
    assert.equal(await schedules.resume(one.id, 'Resumed by somebody'), true);
    assert.equal((await schedules.describe(one.id))?.paused, false);
  });

  test('paused and resumed by the very calls that the UI makes: seen here, and ended here', async () => {
    const one = wanted();
    await schedules.ensure(one);
    const asTheUi = (patch: { pause?: string; unpause?: string }): Promise<unknown> =>
      engine.client.workflowService.patchSchedule({
        namespace: ENGINE_NAMESPACE,
        scheduleId: one.id,
        patch,
        identity: 'the UI',
        requestId: JSON.stringify(patch),
      });
    await asTheUi({ pause: 'Paused via the UI' });
    const view = await schedules.describe(one.id);
    assert.deepEqual([view?.paused, view?.note], [true, 'Paused via the UI']);
    assert.equal(await schedules.ensure(one), 'unchanged');
    assert.equal(await schedules.resume(one.id, 'Resumed by somebody'), true);
    await asTheUi({ pause: 'again' });
    await asTheUi({ unpause: 'Unpaused via the UI' });
    assert.equal((await schedules.describe(one.id))?.paused, false);
  });

  test('removed; then there is nothing to pause, and nothing to remove', async () => {
    const one = wanted();
    await schedules.ensure(one);
    assert.equal(await schedules.remove(one.id), true);
    assert.equal(await schedules.describe(one.id), undefined);
    assert.deepEqual(
      [await schedules.remove(one.id), await schedules.pause(one.id, ''), await schedules.resume(one.id, '')],
      [false, false, false],
    );
  });

  test('fires with its attributes, and leaves out what would overlap', async () => {
    const one = wanted({ everySeconds: 1 });
    let running = 0;
    let most = 0;
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { activities } = recordingActivities(planOf({}), {
      lockHolder: async () => {
        running += 1;
        most = Math.max(most, running);
        await gate;
        running -= 1;
        return {
          holder: { operation: 'deploy', requestedBy: 'x', workflowId: 'w', runId: 'r', since: 'now', workers: 1 },
        };
      },
    });
    await engine.withWorker({ ...activities, lockHolder: beatingWhile(activities.lockHolder) }, async () => {
      await schedules.ensure(one);
      const view = await until('a run left out', async () => {
        const now = await schedules.describe(one.id);
        return now && now.skippedForOverlap >= 2 ? now : undefined;
      });
      assert.equal(view.running.length, 1);
      assert.ok(view.running[0]?.workflowId.startsWith(`${one.id}-`));
      const described = await engine.client.workflow.getHandle(view.running[0]!.workflowId).describe();
      assert.equal(described.typedSearchAttributes.get(SEARCH_ATTRIBUTES.environment), 'test');
      assert.equal(described.typedSearchAttributes.get(SEARCH_ATTRIBUTES.operation), 'drift');
      await schedules.remove(one.id);
      release();
      await until(
        'its end',
        async () =>
          (await engine.client.workflow.getHandle(view.running[0]!.workflowId).describe()).status.name === 'COMPLETED',
      );
    });
    assert.equal(most, 1);
  });
});

describe('schedule of backups', () => {
  const backups = (): WantedByCron => {
    const clusterUid = newClusterUid();
    return {
      id: backupScheduleId('test', clusterUid),
      workflow: 'backup',
      input: { environment: 'test', clusterUid, cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
      summary: 'Back up test',
    };
  };

  test('at its times, changed when they differ, and as it is otherwise; a pause stays', async () => {
    const one = backups();
    assert.equal(await schedules.ensure(one), 'created');
    assert.equal(await schedules.ensure(one), 'unchanged');
    await schedules.pause(one.id, 'Paused by somebody');
    assert.equal(await schedules.ensure({ ...one, input: { ...one.input, cron: '0 4 * * SUN' } }), 'updated');
    const view = await schedules.describe(one.id);
    assert.equal(view?.paused, true);
    const next = new Date(view.next[0] ?? '');
    const berlin = new Intl.DateTimeFormat('en', {
      timeZone: 'Europe/Berlin',
      weekday: 'short',
      hour: '2-digit',
      hourCycle: 'h23',
    }).format(next);
    assert.match(berlin, /Sun.*04/);
    assert.equal(await schedules.remove(one.id), true);
  });

  test('a run makes one with the time of its start as its name; one that fails is told, and is a failed workflow', async () => {
    const one = backups();
    const { activities, log, told } = recordingActivities(planOf({}));
    let fails = false;
    const makeBackup: typeof activities.makeBackup = (input) =>
      fails
        ? Promise.reject(
            ApplicationFailure.create({ message: 'Vault is sealed', type: 'Forbidden', nonRetryable: true }),
          )
        : activities.makeBackup(input);
    await engine.withWorker({ ...activities, makeBackup }, async () => {
      const run = (): ReturnType<typeof engine.client.workflow.start> =>
        engine.client.workflow.start('backup', {
          workflowId: `${one.id}-by-test`,
          taskQueue: taskQueueOf('test'),
          args: [one.input],
        });
      const first = await run();
      assert.equal(((await first.result()) as { file: string }).file, '/backups/one');
      const { startTime } = await first.describe();
      assert.deepEqual(log, [`backup ${startTime.toISOString()}`]);
      fails = true;
      await assert.rejects((await run()).result(), (error: WorkflowFailedError) => {
        assert.match(error.cause?.message ?? '', /sealed/);
        return true;
      });
      await until('it is told', () => Promise.resolve(told.includes('tell chat failure')));
    });
  });
});

describe('schedule of rotations', () => {
  const OLD = 7_776_000;

  test('is one of its own, and a run starts a rotation under the lock, unless somebody holds it', async () => {
    const clusterUid = newClusterUid();
    const input = {
      environment: 'test',
      clusterUid,
      cron: '0 3 * * 0',
      timeZone: 'UTC',
      olderThanSeconds: OLD,
      secrets: [{ path: 'stores/queue' }],
    };
    const one: WantedByCron = {
      id: rotationScheduleId('test', clusterUid),
      workflow: 'rotation',
      input,
      summary: 'Rotate what is too old on test',
    };
    assert.equal(await schedules.ensure(one), 'created');
    assert.equal(await schedules.ensure(one), 'unchanged');
    assert.equal(await schedules.ensure({ ...one, input: { ...input, olderThanSeconds: 1 + OLD } }), 'updated');
    assert.equal(await schedules.remove(one.id), true);

    const { activities } = recordingActivities(planOf({}));
    const asked: unknown[] = [];
    let held = false;
    await engine.withWorker(
      {
        ...activities,
        planRotate: (request) => {
          asked.push([request.secrets, request.olderThanSeconds, request.run.operation, request.run.requestedBy]);
          return activities.planRotate(request);
        },
        lockHolder: () =>
          Promise.resolve(
            held
              ? {
                  holder: { operation: 'deploy', requestedBy: 'ann', since: '', workflowId: '', runId: '', workers: 0 },
                }
              : {},
          ),
      },
      async () => {
        const run = async (): Promise<unknown> => {
          const args = [input];
          const started = await engine.client.workflow.start('rotation', {
            workflowId: `${one.id}-by-test`,
            taskQueue: taskQueueOf('test'),
            args,
          });
          return started.result();
        };
        assert.deepEqual(await run(), { outcome: 'started' });
        await engine.client.workflow.getHandle(operationWorkflowId('test', clusterUid)).result();
        held = true;
        assert.deepEqual(await run(), { outcome: 'skipped' });
      },
    );
    assert.deepEqual(asked, [[input.secrets, OLD, 'rotate', 'the rotation schedule']]);
  });
});

/** The engine takes an activity that is silent for dead. */
function beatingWhile<Input, Output>(work: (input: Input) => Promise<Output>): (input: Input) => Promise<Output> {
  return async (input) => {
    const { heartbeat } = await import('@temporalio/activity');
    const timer = setInterval(() => {
      heartbeat();
    }, 500);
    try {
      return await work(input);
    } finally {
      clearInterval(timer);
    }
  };
}
