/** An operation at a gate: who may approve it, who may not, and what happens to the operation meanwhile. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { exitCodeOf } from '../../../src/cli/deploy/watch.ts';
import {
  type DeploymentHandle,
  followDeployment,
  readOperation,
  startOrAttach,
} from '../../../src/clients/temporal/index.ts';
import { lockHolderOf } from '../../../src/clients/temporal/lock.ts';
import type { Activities } from '../../../src/contract/activities.ts';
import type { Attested, Decision, DecideAnswer, GateRule } from '../../../src/contract/admission/approvals.ts';
import type {
  DeployInput,
  OperationAct,
  OperationResult,
  OperationWait,
} from '../../../src/contract/operations/deploy.ts';
import { EXIT_CODES, FAILURES } from '../../../src/contract/failures.ts';
import { UPDATES } from '../../../src/contract/messages.ts';
import type { OperationPlan } from '../../../src/contract/operations/plan.ts';
import type { PolicyVerdict } from '../../../src/contract/admission/policy.ts';
import { decisionPurpose, requestPurpose } from '../../../src/plan/admission/attestation.ts';
import { completed } from '../../../src/plan/steps/complete.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../../support/engine.ts';
import { planOf, recordingActivities, type Recorder } from '../../support/plans.ts';

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(async () => {
  await engine.close();
});

const GATE = {
  name: 'release',
  by: [{ user: 'ann' }, { user: 'bob' }, { user: 'carl' }],
  count: 1,
  notSelf: true,
  expiresSeconds: 3600,
  waitSeconds: 3600,
};
const planned = (
  rule: Partial<GateRule> = {},
  graph: Parameters<typeof planOf>[0] = { web: { phase: 1 } },
): OperationPlan =>
  completed(planOf(graph), { verb: 'deploy' }, { approvals: [{ ...GATE, ...rule, operations: ['deploy'] }] });

/** What stands in the cluster, as the API server would say. */
class Cluster {
  readonly #made = new Map<string, Attested>();
  /** @param at milliseconds since the epoch */
  make(user: string, purpose: string, at = Date.now()): string {
    const name = `csr-${this.#made.size}`;
    this.#made.set(name, { user, groups: ['system:authenticated'], purpose, at: new Date(at).toISOString() });
    return name;
  }
  read: Activities['readAttestation'] = ({ name }) => {
    const attested = this.#made.get(name);
    return Promise.resolve(attested ? { attested } : {});
  };
}

interface AtGate {
  run: DeploymentHandle;
  result: Promise<OperationResult>;
  cluster: Cluster;
  /** Resolves with what it waits for, once that is as wanted. */
  waits: (wanted?: (wait: OperationWait) => boolean) => Promise<OperationWait>;
  decide: (
    user: string,
    more?: { decision?: Decision; digest?: string; reason?: string; at?: number },
  ) => Promise<DecideAnswer>;
}

async function atGate(cluster: Cluster, requester: string | null = 'carl'): Promise<AtGate> {
  const request: DeployInput = {
    environment: 'test',
    imageTags: {},
    clusterUid: newClusterUid(),
    requestedBy: 'tester@host',
  };
  const run = await startOrAttach(engine.client, 'deploy', request, 'refuse');
  const handle = engine.client.workflow.getHandle(run.workflowId, run.runId);
  const seen: OperationWait[] = [];
  const wake = new Set<() => void>();
  const result = followDeployment(engine.client, run, {
    onEvent: (event) => {
      if (event.kind === 'waits' && event.wait) seen.push(event.wait);
      for (const call of wake) call();
    },
  });
  if (requester !== null)
    await handle.executeUpdate(UPDATES.identify, {
      args: [{ attestation: cluster.make(requester, requestPurpose(run.runId)) }],
    });
  const waits: AtGate['waits'] = (wanted = ({ gate }) => gate !== undefined) =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = seen.findLast(wanted);
        if (found) resolve(found);
      };
      wake.add(look);
      look();
    });
  return {
    run,
    result,
    cluster,
    waits,
    decide: async (user, { decision = 'approve', digest, reason, at } = {}) => {
      const of = digest ?? (await waits()).gate?.digest ?? '';
      const attestation = cluster.make(user, decisionPurpose(decision, 'release', of, run.runId), at);
      return handle.executeUpdate<DecideAnswer, [object]>(UPDATES.decide, {
        args: [{ gate: 'release', digest: of, decision, attestation, ...(reason === undefined ? {} : { reason }) }],
      });
    },
  };
}

async function refused(attempt: Promise<unknown>, why: RegExp): Promise<void> {
  await assert.rejects(attempt, (error) => {
    assert.ok(error instanceof WorkflowUpdateFailedError, String(error));
    assert.match(error.cause?.message ?? '', why);
    return true;
  });
}

const applied = ({ log }: Recorder): string[] => log.filter((line) => line.startsWith('apply'));

describe('a gate', () => {
  test('is opened by who may, not by who asked, a stranger, or with what proves something else', async () => {
    const cluster = new Cluster();
    const recorder = recordingActivities(planned(), { readAttestation: cluster.read });
    await engine.withWorker(recorder.activities, async () => {
      const gate = await atGate(cluster);
      const { reason, gate: view } = await gate.waits(({ gate: at }) => at?.requester !== undefined);
      assert.match(reason, /^waits at the gate release for approvals of plan \w{16}: 0 of 1, by ann, bob, carl$/);
      assert.equal(view?.requester, 'carl');
      assert.equal((await lockHolderOf(engine.client, gate.run.workflowId))?.waits?.gate?.name, 'release');
      await refused(gate.decide('carl'), /carl has asked for the operation/);
      await refused(gate.decide('eve'), /eve is none of those who decide/);
      await refused(gate.decide('ann', { digest: '0123456789abcdef' }), /plan 0123456789abcdef is outdated/);
      await refused(gate.decide('ann', { at: Date.now() - 3_601_000 }), /approval of ann has expired/);
      const handle = engine.client.workflow.getHandle(gate.run.workflowId, gate.run.runId);
      const digest = view?.digest ?? '';
      const say = (attestation: string): Promise<unknown> =>
        handle.executeUpdate(UPDATES.decide, { args: [{ gate: 'release', digest, decision: 'approve', attestation }] });
      await refused(say('csr-99'), /no attestation csr-99 in the cluster/);
      // An approval for another run of the same plan; one that names somebody else as the requester.
      await refused(say(cluster.make('ann', decisionPurpose('approve', 'release', digest, 'other'))), /something else/);
      const identify = { attestation: cluster.make('eve', requestPurpose(gate.run.runId)) };
      await refused(handle.executeUpdate(UPDATES.identify, { args: [identify] }), /carl has asked for it/);
      assert.deepEqual(applied(recorder), []);
      assert.deepEqual(await gate.decide('ann', { reason: 'release 12' }), {
        gate: 'release',
        by: 'ann',
        given: 1,
        count: 1,
      });
      const result = await gate.result;
      assert.equal(result.outcome, 'succeeded');
      assert.deepEqual(
        result.acts?.map(({ act, by, reason: why, on }) => [act, by, why, on]),
        [
          ['request', 'carl', undefined, undefined],
          ['approve', 'ann', 'release 12', `release ${digest}`],
        ],
      );
      assert.deepEqual(recorder.log.slice(0, 2), ['notify gate', 'namespaces']);
    });
  });

  test('for two is opened by two, whose worker was replaced in between', async () => {
    const cluster = new Cluster();
    const make = (): Recorder => recordingActivities(planned({ count: 2 }), { readAttestation: cluster.read });
    const first = make();
    const gate = await engine.withWorker(first.activities, async () => {
      const waiting = await atGate(cluster);
      await waiting.decide('ann');
      await refused(waiting.decide('ann'), /ann has approved already/);
      await waiting.waits(({ gate: view }) => view?.given.length === 1);
      return waiting;
    });
    const second = make();
    await engine.withWorker(second.activities, async () => {
      assert.deepEqual(await gate.decide('bob'), { gate: 'release', by: 'bob', given: 2, count: 2 });
      assert.equal((await gate.result).outcome, 'succeeded');
      assert.deepEqual([applied(first), applied(second)], [[], ['apply web']]);
    });
  });

  test('that somebody says no at ends the operation, untouched and refused', async () => {
    const cluster = new Cluster();
    const recorder = recordingActivities(planned(), { readAttestation: cluster.read });
    await engine.withWorker(recorder.activities, async () => {
      const gate = await atGate(cluster);
      await refused(gate.decide('bob', { decision: 'reject' }), /reason is needed/);
      await gate.decide('bob', { decision: 'reject', reason: 'not before the holidays' });
      const result = await gate.result;
      assert.equal(result.failure?.type, FAILURES.rejected);
      assert.match(result.failure.message, /bob rejected it: not before the holidays\. Nothing was changed\./);
      assert.equal(exitCodeOf(result), EXIT_CODES.refused);
      assert.deepEqual(applied(recorder), []);
      // It is reported all the same: no phase of it was ever there.
      const history = await readOperation(engine.client, gate.run);
      assert.equal(history?.events.at(-1)?.kind, 'finished');
      assert.equal(await readOperation(engine.client, { ...gate.run, runId: randomUUID() }), undefined);
    });
  });

  test('is not opened where nobody knows who asked, and closes in time', async () => {
    const cluster = new Cluster();
    const recorder = recordingActivities(planned({ waitSeconds: 5 }), { readAttestation: cluster.read });
    await engine.withWorker(recorder.activities, async () => {
      const gate = await atGate(cluster, null);
      assert.match((await gate.waits()).reason, /who asked for it has not been proved/);
      await refused(gate.decide('ann'), /Who asked for the operation has not been proved/);
      const result = await gate.result;
      assert.equal(result.failure?.type, FAILURES.notApproved);
      assert.match(result.failure.message, /was not opened within 5 s: 0 of 1 approvals/);
      assert.equal(exitCodeOf(result), EXIT_CODES.refused);
    });
  });

  test('opens anew for another plan: approvals of the one before do not count', async () => {
    const cluster = new Cluster();
    const state = { plan: planned() };
    const recorder = recordingActivities(planned(), {
      readAttestation: cluster.read,
      makePlan: () => Promise.resolve(state.plan),
    });
    await engine.withWorker(recorder.activities, async () => {
      const gate = await atGate(cluster);
      const first = (await gate.waits()).gate?.digest ?? '';
      // The cluster changes while the approval is waited for.
      state.plan = planned({}, { web: { phase: 1 }, api: { phase: 2, dependsOn: ['web'] } });
      await gate.decide('ann');
      const { digest } = (await gate.waits(({ gate: view }) => view !== undefined && view.digest !== first)).gate ?? {};
      assert.equal(digest, state.plan.digest);
      await refused(gate.decide('bob', { digest: first }), /is outdated/);
      assert.deepEqual(applied(recorder), []);
      await gate.decide('bob', { digest });
      assert.equal((await gate.result).planDigest, digest);
      assert.deepEqual(applied(recorder), ['apply web', 'apply api']);
    });
  });

  test('gives way to a cancellation', async () => {
    const cluster = new Cluster();
    let recorded: readonly OperationAct[] = [];
    const recorder = recordingActivities(planned({ count: 2 }), {
      readAttestation: cluster.read,
      recordResult: ({ acts = [] }) => {
        recorded = acts;
        return Promise.resolve();
      },
    });
    await engine.withWorker(recorder.activities, async () => {
      const gate = await atGate(cluster);
      await gate.decide('ann');
      await engine.client.workflow.getHandle(gate.run.workflowId, gate.run.runId).cancel();
      assert.equal((await gate.result).outcome, 'cancelled');
      assert.deepEqual(
        recorded.map(({ act, by }) => `${act} ${by}`),
        ['request carl', 'approve ann'],
      );
      assert.deepEqual(applied(recorder), []);
    });
  });

  test('does not count an approval that has expired before the last one came', async () => {
    const cluster = new Cluster();
    const recorder = recordingActivities(planned({ count: 2 }), { readAttestation: cluster.read });
    await engine.withWorker(recorder.activities, async () => {
      const gate = await atGate(cluster);
      // It has two seconds left.
      await gate.decide('ann', { at: Date.now() - 3_598_000 });
      await gate.waits(({ gate: view }) => view?.given.length === 1);
      await gate.waits(({ gate: view, since }) => view?.given.length === 0 && Date.now() - Date.parse(since) > 2000);
      assert.deepEqual((await gate.decide('bob')).given, 1);
      assert.deepEqual((await gate.decide('ann')).given, 2);
      assert.equal((await gate.result).outcome, 'succeeded');
    });
  });
});

describe('a policy', () => {
  const rules = [{ name: 'by-digest', operations: ['deploy' as const] }];
  const judged = (verdicts: PolicyVerdict[] | undefined, autoApprove?: 'policy'): OperationPlan => ({
    ...completed(
      planOf({ web: { phase: 1 } }),
      { verb: 'deploy' },
      {
        policy: rules,
        approvals: autoApprove ? [{ ...GATE, autoApprove, operations: ['deploy'] }] : [],
      },
    ),
    ...(verdicts ? { verdicts } : {}),
  });
  const green: PolicyVerdict = { rule: 'by-digest', effect: 'deny', violations: [] };
  const violations = [{ object: 'image web:1', fields: ['image.digest = ""'] }];

  async function ended(plan: OperationPlan): Promise<[OperationResult, Recorder]> {
    const recorder = recordingActivities(plan);
    const result = await engine.withWorker(recorder.activities, async () => (await atGate(new Cluster(), null)).result);
    return [result, recorder];
  }

  test('that is broken refuses the plan, naming rule, object and field; nobody is asked for what is kept', async () => {
    const [red, untouched] = await ended(judged([{ ...green, violations, message: 'pin it' }], 'policy'));
    assert.equal(red.failure?.type, FAILURES.policyViolated);
    assert.match(red.failure.message, /nothing was changed:\nby-digest: image web:1 \(image\.digest = ""\): pin it$/);
    assert.equal(exitCodeOf(red), EXIT_CODES.refused);
    assert.deepEqual(applied(untouched), []);
    const [kept, touched] = await ended(judged([green], 'policy'));
    assert.equal(kept.outcome, 'succeeded');
    assert.deepEqual(
      kept.acts?.map(({ act, by, reason }) => [act, by, reason]),
      [['approve', 'policy', 'the plan keeps all 1 rules']],
    );
    assert.deepEqual(applied(touched), ['apply web']);
  });

  test('is not kept by a plan that nobody has held against it', async () => {
    const [{ failure }] = await ended(judged(undefined));
    assert.match(failure?.message ?? '', /nobody has held the plan against its rules/);
  });

  test('that only asks opens no gate', async () => {
    const recorder = recordingActivities(judged([{ ...green, effect: 'ask', violations }], 'policy'));
    await engine.withWorker(recorder.activities, async () => {
      const gate = await atGate(new Cluster(), null);
      assert.match((await gate.waits()).reason, /0 of 1/);
      await engine.client.workflow.getHandle(gate.run.workflowId, gate.run.runId).cancel();
      await gate.result;
      assert.deepEqual(applied(recorder), []);
    });
  });
});
