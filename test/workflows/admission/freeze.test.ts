/** An operation on a frozen environment: waits, is refused, is let through with a reason; drift is only reported. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { exitCodeOf } from '../../../src/cli/deploy/watch.ts';
import { type DeploymentHandle, followDeployment, startOrAttach } from '../../../src/clients/temporal/index.ts';
import { lockHolderOf } from '../../../src/clients/temporal/lock.ts';
import type { Activities } from '../../../src/contract/activities.ts';
import type { DeployInput, OperationResult } from '../../../src/contract/operations/deploy.ts';
import type { DriftFinding, DriftInput, DriftResult } from '../../../src/contract/drift.ts';
import { EXIT_CODES, FAILURES } from '../../../src/contract/failures.ts';
import type { FreezeVerdict } from '../../../src/contract/admission/freeze.ts';
import { UPDATES } from '../../../src/contract/messages.ts';
import { asksOf } from '../../../src/contract/operations/start-options.ts';
import { waitingOverridePurpose } from '../../../src/plan/admission/attestation.ts';
import { taskQueueOf, WORKFLOW_TYPES } from '../../../src/contract/names.ts';
import type { OperationPlan } from '../../../src/contract/operations/plan.ts';
import type { DeploymentEvent } from '../../../src/plan/progress.ts';
import { completed } from '../../../src/plan/steps/complete.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../../support/engine.ts';
import { driftReport, planOf, recordingActivities, type Recorder } from '../../support/plans.ts';

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(async () => {
  await engine.close();
});

const freeze = { windows: [{ name: 'weekend' }], allow: [], onFrozen: 'wait' as const };
const planned = (graph: Parameters<typeof planOf>[0] = { web: { phase: 1 } }): OperationPlan =>
  completed(planOf(graph), { verb: 'deploy' }, { freeze });
const open: FreezeVerdict = { frozen: false, windows: [], onFrozen: 'wait', waitSeconds: 3600 };
const frozen: FreezeVerdict = {
  frozen: true,
  windows: ['weekend'],
  opens: 'Mon 2026-12-07 08:00 Europe/Berlin',
  onFrozen: 'wait',
  waitSeconds: 3600,
};
/** Closed for longer than any test waits. */
const closed = (): FreezeVerdict => ({ ...frozen, until: new Date(Date.now() + 3_600_000).toISOString() });

function input(extra: Partial<DeployInput> = {}): DeployInput {
  return { environment: 'test', imageTags: {}, clusterUid: newClusterUid(), requestedBy: 'tester@host', ...extra };
}

interface Watched {
  run: DeploymentHandle;
  events: DeploymentEvent[];
  result: Promise<OperationResult>;
  /** Resolves once the operation says that it waits. */
  waits: Promise<void>;
}

async function started(request: DeployInput): Promise<Watched> {
  const run = await startOrAttach(engine.client, 'deploy', request, 'refuse');
  const events: DeploymentEvent[] = [];
  let waiting: () => void = () => undefined;
  const waits = new Promise<void>((resolve) => (waiting = resolve));
  const result = followDeployment(engine.client, run, {
    onEvent: (event) => {
      events.push(event);
      if (event.kind === 'waits' && event.wait) waiting();
    },
  });
  return { run, events, result, waits };
}

const override = (run: DeploymentHandle, args: object): Promise<void> =>
  engine.client.workflow.getHandle(run.workflowId, run.runId).executeUpdate(UPDATES.overrideFreeze, { args: [args] });

/** What the API server has vouched for: `own` for an override of this run, `other` for one of another. */
const attests =
  (runId: () => string): Activities['readAttestation'] =>
  ({ name }) => {
    const purpose = { own: waitingOverridePurpose(runId()), other: waitingOverridePurpose('another') }[name];
    const at = '2026-01-01T00:00:00.000Z';
    return Promise.resolve(
      purpose === undefined ? {} : { attested: { user: 'ann@example.com', groups: [], at, purpose } },
    );
  };

const applied = ({ log }: Recorder): string[] => log.filter((line) => line.startsWith('apply'));

describe('freeze', () => {
  test('outside a window it is looked once, and nothing is waited for', async () => {
    let looks = 0;
    const recorder = recordingActivities(planned(), {
      checkFreeze: () => {
        looks += 1;
        return Promise.resolve(open);
      },
    });
    await engine.withWorker(recorder.activities, async () => {
      const { result, events } = await started(input());
      assert.equal((await result).outcome, 'succeeded');
      assert.equal(looks, 1);
      assert.ok(!events.some(({ kind }) => kind === 'waits'));
    });
  });

  test('what has nothing to do asks nobody', async () => {
    const nothing = { ...planOf({ web: { phase: 1, action: 'unchanged' } }), prerequisites: false };
    assert.ok(!completed(nothing, { verb: 'deploy' }, { freeze }).steps.some(({ kind }) => kind === 'freeze'));
  });

  test('where the file says refuse, it is refused and nothing is touched', async () => {
    const recorder = recordingActivities(planned(), {
      checkFreeze: () => Promise.resolve({ ...frozen, onFrozen: 'refuse' }),
    });
    await engine.withWorker(recorder.activities, async () => {
      const result = await (await started(input())).result;
      assert.deepEqual([result.outcome, result.failure?.type], ['failed', FAILURES.frozen]);
      assert.equal(
        result.failure?.message,
        'test is frozen by weekend until Mon 2026-12-07 08:00 Europe/Berlin. Nothing was changed.',
      );
      assert.equal(exitCodeOf(result), EXIT_CODES.refused);
      assert.deepEqual(recorder.log, ['settle web', 'notify deploy-failed', 'schedule', 'result failed']);
    });
  });

  test('it waits, its worker is replaced, the window opens: it plans again and goes on', async () => {
    const state = { verdict: closed(), plans: 0 };
    const make = (): Recorder =>
      recordingActivities(planned(), {
        checkFreeze: () => Promise.resolve(state.verdict),
        makePlan: () => {
          state.plans += 1;
          return Promise.resolve(planned());
        },
      });
    const first = make();
    const seen = await engine.withWorker(first.activities, async () => {
      // It opens soon after the worker is gone.
      state.verdict = { ...frozen, until: new Date(Date.now() + 3000).toISOString() };
      const watched = await started(input());
      await watched.waits;
      const holder = await lockHolderOf(engine.client, watched.run.workflowId);
      assert.match(holder?.waits?.reason ?? '', /^waits for the end of a freeze: test is frozen by weekend until Mon/);
      return watched;
    });
    state.verdict = open;
    const second = make();
    await engine.withWorker(second.activities, async () => {
      const result = await seen.result;
      assert.equal(result.outcome, 'succeeded');
      assert.deepEqual([applied(first), applied(second)], [[], ['apply web']]);
      assert.equal(state.plans, 2);
      const waits = seen.events.flatMap((event) => (event.kind === 'waits' ? [event.wait?.step ?? 'over'] : []));
      assert.deepEqual(waits, ['freeze', 'over']);
      // The same plan is sent once.
      assert.equal(seen.events.filter(({ kind }) => kind === 'plan').length, 1);
    });
  });

  test('what changed meanwhile is planned anew; what somebody was shown is refused then', async () => {
    for (const expectedDigest of [undefined, planned().digest]) {
      const state = { verdict: closed(), plan: planned(), runId: '' };
      const recorder = recordingActivities(planned(), {
        checkFreeze: () => Promise.resolve(state.verdict),
        readAttestation: attests(() => state.runId),
        makePlan: ({ expectedDigest: expected }) => {
          if (expected === undefined || expected === state.plan.digest) return Promise.resolve(state.plan);
          return Promise.reject(ApplicationFailure.nonRetryable('another plan', FAILURES.planOutdated));
        },
      });
      await engine.withWorker(recorder.activities, async () => {
        const watched = await started(input(expectedDigest === undefined ? {} : { expectedDigest }));
        await watched.waits;
        state.runId = watched.run.runId;
        state.plan = planned({ web: { phase: 1 }, api: { phase: 2, dependsOn: ['web'] } });
        await override(watched.run, { by: 'bob', reason: 'security patch', attestation: 'own' });
        const result = await watched.result;
        if (expectedDigest === undefined) {
          assert.deepEqual(applied(recorder), ['apply web', 'apply api']);
          assert.equal(result.planDigest, state.plan.digest);
        } else {
          assert.equal(result.failure?.type, FAILURES.planOutdated);
          assert.equal(exitCodeOf(result), EXIT_CODES.refused);
          assert.deepEqual(applied(recorder), []);
        }
      });
    }
  });

  test('it is overridden with a reason, which is on record; without one, or with nothing waiting, it is not', async () => {
    let runId = '';
    const recorded: unknown[] = [];
    const recorder = recordingActivities(planned(), {
      checkFreeze: () => Promise.resolve(closed()),
      readAttestation: attests(() => runId),
      recordResult: ({ acts }) => {
        recorded.push(acts);
        return Promise.resolve();
      },
    });
    await engine.withWorker(recorder.activities, async () => {
      const watched = await started(input());
      runId = watched.run.runId;
      await watched.waits;
      for (const [args, why] of [
        [{ by: 'ann', attestation: 'own' }, /reason is needed/],
        [{ by: 'ann', attestation: 'own', reason: ' ' }, /reason is needed/],
        [{ by: 'ann', attestation: 'own', reason: 'a\nb' }, /one line/],
        [{ reason: 'patch', attestation: 'own' }, /Who overrides/],
        [{ by: 'ann', reason: 'patch' }, /Nothing proves who overrides/],
        [{ by: 'ann', reason: 'patch', attestation: 'lost' }, /no attestation lost/],
        [{ by: 'ann', reason: 'patch', attestation: 'other' }, /made for something else/],
      ] as const)
        await assert.rejects(override(watched.run, args), (error) => {
          assert.ok(error instanceof WorkflowUpdateFailedError);
          assert.match(error.cause?.message ?? '', why);
          return true;
        });
      await override(watched.run, { by: 'bob', reason: 'security patch', attestation: 'own' });
      const result = await watched.result;
      assert.equal(result.outcome, 'succeeded');
      assert.equal(result.acts?.length, 1);
      const { at, ...act } = result.acts[0] ?? { at: '' };
      assert.ok(Date.parse(at) > 0);
      assert.deepEqual(act, { act: 'override-freeze', by: 'ann@example.com', reason: 'security patch', on: 'weekend' });
      assert.deepEqual(recorded, [result.acts]);
      assert.deepEqual(result.notes, ['The freeze (weekend) was overridden by ann@example.com: security patch']);
    });
  });

  test('it is overridden from the start by whom the API server names, for just this; nobody is believed', async () => {
    const recorder = recordingActivities(planned(), {
      checkFreeze: () => Promise.resolve({ ...frozen, onFrozen: 'refuse' }),
      readAttestation: ({ name, override: of }) =>
        Promise.resolve(
          name === 'own' && of?.reason === 'outage' && of.operation === 'deploy' && of.asks === asksOf(input())
            ? { attested: { user: 'ann@example.com', groups: [], at: '', purpose: 'of the effect' } }
            : {},
        ),
    });
    await engine.withWorker(recorder.activities, async () => {
      const { result, events } = await started(input({ freezeOverride: 'outage', freezeAttestation: 'own' }));
      const { outcome, acts } = await result;
      assert.deepEqual([outcome, acts?.[0]?.by, acts?.[0]?.reason], ['succeeded', 'ann@example.com', 'outage']);
      assert.ok(!events.some(({ kind }) => kind === 'waits'));
      const before = recorder.log.length;
      for (const [request, why] of [
        [{ freezeOverride: 'outage' }, /its override does not count: nothing proves who has asked for it\. Nothing/],
        [{ freezeOverride: 'another', freezeAttestation: 'own' }, /does not count: .* for just this operation/],
        [{ freezeOverride: 'outage', freezeAttestation: 'own', imageTags: { web: '2' } }, /does not count/],
      ] as const) {
        const refused = await (await started(input(request))).result;
        assert.deepEqual([refused.failure?.type, refused.acts], [FAILURES.frozen, undefined]);
        assert.match(refused.failure?.message ?? '', why);
      }
      assert.ok(!recorder.log.slice(before).some((line) => line.startsWith('apply')));
    });
  });

  test('what waits can be cancelled, and gives way to a newer deployment', async () => {
    const recorder = recordingActivities(planned(), { checkFreeze: () => Promise.resolve(closed()) });
    await engine.withWorker(recorder.activities, async () => {
      const cancelled = await started(input());
      await cancelled.waits;
      await engine.client.workflow.getHandle(cancelled.run.workflowId, cancelled.run.runId).cancel();
      assert.equal((await cancelled.result).outcome, 'cancelled');
      const superseded = await started(input());
      await superseded.waits;
      await engine.client.workflow
        .getHandle(superseded.run.workflowId, superseded.run.runId)
        .signal('supersede', { by: 'bob' });
      const { outcome, supersededBy } = await superseded.result;
      assert.deepEqual([outcome, supersededBy], ['cancelled', 'bob']);
      assert.deepEqual(applied(recorder), []);
    });
  });

  test('it does not wait longer than it may', async () => {
    const recorder = recordingActivities(planned(), {
      checkFreeze: () => Promise.resolve({ ...closed(), waitSeconds: 1 }),
    });
    await engine.withWorker(recorder.activities, async () => {
      const { failure } = await (await started(input())).result;
      assert.equal(failure?.type, FAILURES.frozen);
      assert.match(failure.message, /has waited for 1 s, which is all that freeze\.waitSeconds allows/);
    });
  });
});

describe('drift in a freeze', () => {
  const finding: DriftFinding = {
    key: 'k',
    kind: 'changed',
    area: 'kubernetes',
    object: 'Deployment test/web',
    field: 'spec.replicas',
    valueDigest: 'd',
    repair: 'release',
  };
  const report = driftReport([finding]);

  async function drifted(
    activities: Partial<Activities>,
    extra: Partial<DriftInput> = {},
  ): Promise<[DriftResult, Recorder]> {
    const recorder = recordingActivities(planned(), activities);
    const clusterUid = newClusterUid();
    const result = await engine.withWorker(recorder.activities, () =>
      engine.client.workflow.execute(WORKFLOW_TYPES.drift, {
        taskQueue: taskQueueOf('test'),
        workflowId: `drift-${clusterUid}`,
        args: [{ environment: 'test', clusterUid, mode: 'repair', ...extra }],
      }),
    );
    return [result as DriftResult, recorder];
  }

  test('is reported, and repaired only with a reason', async () => {
    const findDrift = (): ReturnType<Activities['findDrift']> =>
      Promise.resolve({ report, flapping: [], mode: 'repair', frozen: 'is frozen by weekend' });
    const [reported, first] = await drifted({ findDrift });
    assert.deepEqual(
      [reported.outcome, reported.reason],
      ['drifted', 'only reported, nothing was repaired: test is frozen by weekend'],
    );
    assert.deepEqual(first.log, ['drift drifted', 'notify drift']);
    const asked: unknown[] = [];
    const readAttestation: Activities['readAttestation'] = ({ name, override: of }) => {
      asked.push([name, of?.operation, of?.reason, of?.asks]);
      return Promise.resolve({ attested: { user: 'ann@example.com', groups: [], at: '', purpose: '' } });
    };
    const planRepair: Activities['planRepair'] = () => Promise.resolve({ ...planned(), operation: 'repair' });
    const checkFreeze: Activities['checkFreeze'] = () => Promise.resolve(frozen);
    const [, second] = await drifted(
      { findDrift, readAttestation, planRepair, checkFreeze },
      { requestedBy: 'ann@host', freezeOverride: 'outage', freezeAttestation: 'own' },
    );
    assert.deepEqual(applied(second), ['apply web']);
    assert.deepEqual(asked, [['own', 'repair', 'outage', '']]);
  });

  test('is looked for, and only reported, while an operation waits with the lock', async () => {
    const holder = {
      operation: 'deploy' as const,
      requestedBy: 'bob',
      workflowId: 'w',
      runId: 'r',
      since: '2026-01-01T00:00:00Z',
      workers: 1,
      waits: { step: 'freeze', reason: 'waits for the end of a freeze', since: '2026-01-01T00:00:00Z' },
    };
    const [{ outcome, reason }, recorder] = await drifted({
      findDrift: () => Promise.resolve({ report, flapping: [], mode: 'repair' }),
      lockHolder: () => Promise.resolve({ holder }),
    });
    assert.equal(outcome, 'drifted');
    assert.match(reason ?? '', /only reported, nothing was repaired: deploy by bob .* waits for the end of a freeze/);
    assert.deepEqual(recorder.log, ['drift drifted', 'notify drift']);
  });
});
