/** Environments that are deployed ring by ring, on a real engine: each has workers of its own. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sleep as activitySleep } from '@temporalio/activity';
import { ApplicationFailure, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { startOrAttach } from '../../src/clients/temporal/index.ts';
import { lockHolderOf } from '../../src/clients/temporal/lock.ts';
import { operationsOf } from '../../src/clients/temporal/overview.ts';
import { cancelRings, readRings, ringsRuns, startRings, withHolds } from '../../src/clients/temporal/rings.ts';
import type { Activities } from '../../src/contract/activities.ts';
import type { Attested } from '../../src/contract/admission/approvals.ts';
import { FAILURES } from '../../src/contract/failures.ts';
import { QUERIES, UPDATES } from '../../src/contract/messages.ts';
import type { OperationResult } from '../../src/contract/operations/deploy.ts';
import type { PlannedRing, RingsInput, RingsView, RingTarget } from '../../src/contract/operations/rings.ts';
import { decisionPurpose, requestPurpose } from '../../src/plan/admission/attestation.ts';
import { completed } from '../../src/plan/steps/complete.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { planOf, recordingActivities } from '../support/plans.ts';

let engine: TestEngine;
let runs = 0;
before(async () => {
  engine = await startTestEngine();
});
after(() => engine.close());

interface Part {
  /** What its workers were asked, and how each ended. */
  log: string[];
  activities: Activities;
}

/** Workers of one environment, whose service `web` is upgraded. */
function part(environment: string, overrides: Partial<Activities> = {}): Part {
  const plan = { ...planOf({ web: { phase: 1, action: 'upgrade' } }), environment, prerequisites: false };
  const back = { ...planOf({ web: { phase: 1, action: 'rollback' } }), environment, operation: 'rollback' as const };
  return recordingActivities(plan, {
    planRollback: () => Promise.resolve({ ...back, toVersion: 6 }),
    recordVersion: () => Promise.resolve({ version: 7 }),
    ...overrides,
  });
}

const failing: Partial<Activities> = {
  awaitHealthy: ({ step }) =>
    step.action === 'upgrade'
      ? Promise.reject(ApplicationFailure.nonRetryable('web does not start', FAILURES.notHealthyInTime))
      : Promise.resolve({ seconds: 0, proof: '' }),
};

function inputOf(rings: [name: string, environments: string[], more?: Partial<PlannedRing>][]): RingsInput {
  runs += 1;
  return {
    name: `all-${runs}`,
    requestedBy: 'tester@host',
    imageTags: {},
    rings: rings.map(([name, environments, more]) => ({
      name,
      targets: environments.map((environment) => ({ environment, clusterUid: newClusterUid() })),
      soak: { seconds: 0, looks: 1 },
      onFailure: 'halt',
      ...more,
    })),
  };
}

/** The workers of all environments, while `work` runs. */
function serving(parts: Record<string, Part>, work: () => Promise<void>): Promise<void> {
  return Object.entries(parts).reduceRight<() => Promise<void>>(
    (inner, [environment, { activities }]) =>
      () =>
        engine.withWorker(activities, inner, environment),
    work,
  )();
}

async function start(input: RingsInput): Promise<WorkflowHandle & { firstExecutionRunId: string }> {
  const { workflowId, runId } = await startRings(engine.client, input);
  return Object.assign(engine.client.workflow.getHandle(workflowId, runId), { firstExecutionRunId: runId });
}

async function endOf(handle: WorkflowHandle): Promise<RingsView> {
  try {
    return (await handle.result()) as RingsView;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return (await readRings(engine.client, handle.workflowId.slice('rings/'.length)))!;
  }
}

const statesOf = ({ outcome, rings }: RingsView): string[] => [
  outcome,
  ...rings.map(
    ({ name, state, targets }) =>
      `${name} ${state}: ${targets.map((target) => `${target.environment} ${target.state}`).join(', ')}`,
  ),
];

test('a ring begins when all of the one before are deployed and have stayed well', async () => {
  const looks: string[] = [];
  const looking = (environment: string): Partial<Activities> => ({
    lookAtPlatform: () => {
      looks.push(environment);
      return Promise.resolve({ unwell: [] });
    },
  });
  const parts = { east: part('east', looking('east')), west: part('west', looking('west')), north: part('north') };
  await serving(parts, async () => {
    const input = inputOf([
      ['first', ['east', 'west'], { soak: { seconds: 1, looks: 2 } }],
      ['rest', ['north']],
    ]);
    const view = await endOf(await start(input));
    assert.deepEqual(statesOf(view), [
      'succeeded',
      'first passed: east deployed, west deployed',
      'rest passed: north deployed',
    ]);
    assert.deepEqual([view.rings[0]?.looks, view.rings[0]?.targets[0]?.version], [2, 7]);
    assert.deepEqual(looks.sort(), ['east', 'east', 'west', 'west']);
  });
});

test('the second ring fails: its deployments are taken back, the first stays, the third is not started', async () => {
  const parts = { east: part('east'), west: part('west', failing), north: part('north'), south: part('south') };
  await serving(parts, async () => {
    const input = inputOf([
      ['first', ['east']],
      ['second', ['west', 'north'], { onFailure: 'rollback' }],
      ['third', ['south']],
    ]);
    const view = await endOf(await start(input));
    assert.deepEqual(statesOf(view), [
      'failed',
      'first passed: east deployed',
      'second failed: west taken back, north taken back',
      'third not started: south waiting',
    ]);
    assert.match(view.rings[1]?.reasons.join() ?? '', /^west: web: web does not start/);
    assert.deepEqual(parts.south.log, [], 'nobody asked it for anything');
    assert.ok(!parts.east.log.includes('result failed'));
  });
});

test('a ring that was to halt leaves what it has deployed', async () => {
  const parts = { east: part('east', failing), west: part('west') };
  await serving(parts, async () => {
    const view = await endOf(await start(inputOf([['first', ['east', 'west']]])));
    assert.deepEqual(statesOf(view), ['failed', 'first failed: east failed, west deployed']);
  });
});

test('what is not well while a ring soaks fails it, and an environment that has not changed is left as it is', async () => {
  const unwell: Partial<Activities> = {
    lookAtPlatform: () => Promise.resolve({ unwell: ['check web/page: no page'] }),
  };
  const idle = recordingActivities({ ...planOf({ web: { phase: 1, action: 'unchanged' } }), prerequisites: false });
  const parts = { east: part('east', unwell), west: idle };
  await serving(parts, async () => {
    const input = inputOf([
      ['first', ['east', 'west'], { soak: { seconds: 0.2, looks: 1 }, onFailure: 'rollback' }],
      ['rest', ['north']],
    ]);
    const view = await endOf(await start(input));
    assert.deepEqual(statesOf(view), [
      'failed',
      'first failed: east taken back, west deployed',
      'rest not started: north waiting',
    ]);
    assert.deepEqual(view.rings[0]?.reasons, ['east: check web/page: no page']);
  });
});

test('who holds the lock of an environment is waited for; workers that come and go change nothing', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let begun = (): void => undefined;
  const holds = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let first = true;
  const holding: Partial<Activities> = {
    awaitHealthy: async () => {
      begun();
      if (first) await held;
      first = false;
      return { seconds: 0, proof: '' };
    },
    awaitLockFree: async () => {
      await held;
    },
  };
  const east = part('east', holding);
  const input = inputOf([['only', ['east']]]);
  const { clusterUid } = input.rings[0]!.targets[0]!;
  let handle: WorkflowHandle | undefined;
  await serving({ east }, async () => {
    await startOrAttach(
      engine.client,
      'deploy',
      { environment: 'east', clusterUid, requestedBy: 'other@host', imageTags: {} },
      'refuse',
    );
    await holds;
    handle = await start(input);
    let state = '';
    while (state !== 'queued') state = (await handle.query<RingsView>(QUERIES.rings)).rings[0]?.targets[0]?.state ?? '';
    release();
  });
  await serving({ east }, async () => {
    assert.deepEqual(statesOf(await endOf(handle!)), ['succeeded', 'only passed: east deployed']);
  });
});

test('cancelled while it soaks, nothing further starts', async () => {
  const parts = { east: part('east'), west: part('west') };
  await serving(parts, async () => {
    const input = inputOf([
      ['first', ['east'], { soak: { seconds: 3600, looks: 1 } }],
      ['rest', ['west']],
    ]);
    const handle = await start(input);
    let state = '';
    while (state !== 'soaking') state = (await handle.query<RingsView>(QUERIES.rings)).rings[0]?.state ?? '';
    await assert.rejects(startRings(engine.client, input), /are being deployed already/);
    assert.ok(await cancelRings(engine.client, input.name));
    assert.deepEqual(statesOf(await endOf(handle)), [
      'cancelled',
      'first failed: east deployed',
      'rest not started: west waiting',
    ]);
    assert.deepEqual(parts.west.log, []);
  });
});

test('cancelled while it deploys: its deployments are cancelled, and their end is waited for', async () => {
  let begun = 0;
  const slow: Partial<Activities> = {
    awaitHealthy: async () => {
      begun += 1;
      await activitySleep(600_000);
      return { seconds: 0, proof: '' };
    },
  };
  const parts = { east: part('east', slow), west: part('west'), north: part('north') };
  await serving(parts, async () => {
    const input = inputOf([
      ['first', ['east', 'west'], { onFailure: 'rollback' }],
      ['rest', ['north']],
    ]);
    const handle = await start(input);
    await eventually(async () => {
      const [east, west] = (await handle.query<RingsView>(QUERIES.rings)).rings[0]!.targets;
      assert.deepEqual([begun, east?.state, west?.state], [1, 'deploying', 'deployed']);
    });
    assert.ok(await cancelRings(engine.client, input.name));
    const view = await endOf(handle);
    assert.deepEqual(statesOf(view), [
      'cancelled',
      'first failed: east cancelled, west deployed',
      'rest not started: north waiting',
    ]);
    const { workflowId = '', runId = '' } = view.rings[0]!.targets[0]!;
    const { status } = await engine.client.workflow.getHandle(workflowId, runId).describe();
    assert.equal(status.name, 'CANCELLED');
    assert.ok(!parts.west.log.some((line) => line.includes('rollback')));
    assert.deepEqual(parts.north.log, []);
  });
});

test('gates and questions of an environment: whoever started the rings does not approve, and is asked', async () => {
  const made: Attested[] = [];
  const attest = (user: string, purpose: string): string =>
    `made-${made.push({ user, purpose, groups: [], at: new Date().toISOString() }) - 1}`;
  const gate = {
    ...{ name: 'release', by: [{ user: 'ann' }, { user: 'carl' }], count: 1, notSelf: true },
    ...{ expiresSeconds: 3600, waitSeconds: 3600, operations: ['deploy' as const] },
  };
  const plan = { ...planOf({ web: { phase: 1, action: 'upgrade' } }), prerequisites: false, environment: 'east' };
  const asking = { ...plan, onFailure: 'ask' as const, ask: { seconds: 3600, then: 'stop' as const } };
  let tries = 0;
  const east = part('east', {
    makePlan: () => Promise.resolve(completed(asking, { verb: 'deploy' }, { approvals: [gate] })),
    readAttestation: ({ name }) => {
      const attested = made[Number(name.slice('made-'.length))];
      return Promise.resolve(attested ? { attested } : {});
    },
    awaitHealthy: () => {
      tries += 1;
      if (tries === 1) throw ApplicationFailure.nonRetryable('web does not start', FAILURES.notHealthyInTime);
      return Promise.resolve({ seconds: 0, proof: '' });
    },
  });
  await serving({ east, west: part('west') }, async () => {
    const input = inputOf([['only', ['east', 'west']]]);
    input.rings[0]!.targets[0]!.identifies = true;
    const handle = await start(input);
    const { firstExecutionRunId: runId } = handle;
    const identify = (environment: string, purpose: string): Promise<unknown> =>
      handle.executeUpdate(UPDATES.identify, { args: [{ attestation: attest('carl', purpose), environment }] });
    await assert.rejects(identify('moon', requestPurpose(runId)), /WorkflowUpdate/);
    await assert.rejects(identify('east', requestPurpose('another run')), /WorkflowUpdate/);
    await identify('east', requestPurpose(runId));
    await assert.rejects(identify('east', requestPurpose(runId)), /WorkflowUpdate/);

    const shown = async (): Promise<RingsView> =>
      withHolds(engine.client, (await readRings(engine.client, input.name)) as RingsView);
    const held = async (): Promise<string[]> => (await shown()).rings[0]!.targets[0]!.held ?? [];
    await eventually(async () =>
      assert.match((await held()).join(), /^waits at the gate release .* 0 of 1, by ann, carl$/),
    );
    const target = (await shown()).rings[0]!.targets[0]!;
    assert.equal(target.requester, 'carl');
    const child = engine.client.workflow.getHandle(target.workflowId ?? '', target.runId);
    const holder = await lockHolderOf(engine.client, target.workflowId ?? '');
    const { digest = '' } = holder?.waits?.gate ?? {};
    const approve = (user: string): Promise<unknown> => {
      const attestation = attest(user, decisionPurpose('approve', 'release', digest, target.runId ?? ''));
      return child.executeUpdate(UPDATES.decide, {
        args: [{ gate: 'release', digest, decision: 'approve', attestation }],
      });
    };
    await assert.rejects(approve('carl'), (error: Error) => /may not approve it as well/.test(String(error.cause)));
    await approve('ann');

    await eventually(async () => assert.match((await held()).join(), /web failed .*web does not start/));
    await child.executeUpdate(UPDATES.steer, { args: [{ verb: 'retry', by: 'ann@host', service: 'web' }] });
    const view = await endOf(handle);
    assert.deepEqual(statesOf(view), ['succeeded', 'only passed: east deployed, west deployed']);
    const { acts = [] } = (await child.result()) as OperationResult;
    assert.deepEqual(
      acts.map(({ act, by }) => [act, by]),
      [
        ['request', 'carl'],
        ['approve', 'ann'],
        ['retry', 'ann@host'],
      ],
    );
  });
});

test('an input that names who has asked for it is believed of rings alone', async () => {
  const gate = {
    ...{ name: 'release', by: [{ user: 'ann' }], count: 1, notSelf: true },
    ...{ expiresSeconds: 3600, waitSeconds: 3600, operations: ['deploy' as const] },
  };
  const plan = { ...planOf({ web: { phase: 1, action: 'upgrade' } }), prerequisites: false };
  const east = part('east', {
    makePlan: () => Promise.resolve(completed(plan, { verb: 'deploy' }, { approvals: [gate] })),
  });
  await serving({ east }, async () => {
    const forged = {
      environment: 'east',
      clusterUid: newClusterUid(),
      requestedBy: 'a@b',
      imageTags: {},
      requester: 'bob',
    };
    const run = await startOrAttach(engine.client, 'deploy', forged, 'refuse');
    await eventually(async () => {
      const waits = (await lockHolderOf(engine.client, run.workflowId))?.waits;
      assert.match(waits?.reason ?? '', /who asked for it has not been proved/);
    });
    await engine.client.workflow.getHandle(run.workflowId, run.runId).terminate();
  });
});

test('what became of each run can be listed and read without a worker, also of one that was cancelled', async () => {
  const input = inputOf([
    ['first', ['east'], { soak: { seconds: 3600, looks: 1 } }],
    ['rest', ['west']],
  ]);
  const again = { ...input, rings: input.rings.slice(1) };
  const runIds: string[] = [];
  await serving({ east: part('east'), west: part('west') }, async () => {
    for (const each of [input, again]) {
      const handle = await start(each);
      runIds.push(handle.firstExecutionRunId);
      if (each === input) {
        await eventually(async () => {
          const [running] = await ringsRuns(engine.client, input.name);
          assert.deepEqual([running?.outcome, running?.requestedBy], ['running', 'tester@host']);
        });
        let state = '';
        while (state !== 'soaking') state = (await handle.query<RingsView>(QUERIES.rings)).rings[0]?.state ?? '';
        await cancelRings(engine.client, input.name);
      }
      await endOf(handle);
    }
  });
  await eventually(async () => {
    const runs = await ringsRuns(engine.client, input.name);
    assert.deepEqual(
      runs.map(({ runId, requestedBy, outcome, view }) => [
        runId,
        requestedBy,
        outcome,
        ...(view ? statesOf(view) : []),
      ]),
      [
        [runIds[1], 'tester@host', 'succeeded', 'succeeded', 'rest passed: west deployed'],
        [
          runIds[0],
          'tester@host',
          'cancelled',
          'cancelled',
          'first failed: east deployed',
          'rest not started: west waiting',
        ],
      ],
    );
  });
  const cancelled = (await readRings(engine.client, input.name, runIds[0]))!;
  assert.deepEqual(
    cancelled.rings[0]!.states?.map(({ state }) => state),
    ['waiting', 'deploying', 'soaking', 'failed'],
  );
  const { states = [], runId } = cancelled.rings[0]!.targets[0]!;
  assert.deepEqual(
    states.map(({ state, runId: of }) => [state, of]),
    [
      ['waiting', undefined],
      ['deploying', runId],
      ['deployed', runId],
    ],
  );
  assert.ok((cancelled.endedAt ?? 0) >= (states[2]?.at ?? Infinity));
});

test('the override of a freeze, and its proof, reach the deployment of the environment that they are for', async () => {
  await serving({ east: part('east') }, async () => {
    const input = inputOf([['first', ['east']]]);
    Object.assign(input.rings[0]!.targets[0]!, { freezeOverride: 'outage', freezeAttestation: 'own' });
    const view = await endOf(await start(input));
    assert.deepEqual(statesOf(view), ['succeeded', 'first passed: east deployed']);
    const { workflowId = '', runId } = view.rings[0]!.targets[0]!;
    const { events } = await engine.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const { freezeOverride, freezeAttestation } = defaultPayloadConverter.fromPayload<RingTarget>(payload!);
    assert.deepEqual([freezeOverride, freezeAttestation], ['outage', 'own']);
    // Found by the first characters of its run (ids begin with the time), and not among those of another environment.
    const run = runId?.slice(0, 24) ?? '';
    const found = await operationsOf(engine.client, { environment: 'east', run });
    assert.deepEqual([found.length, found[0]?.runId], [1, runId]);
    assert.deepEqual(await operationsOf(engine.client, { environment: 'eas', run }), []);
  });
});

test('a plan that somebody was shown binds the deployment of each environment', async () => {
  const asked: unknown[] = [];
  const makePlan: Activities['makePlan'] = ({ expectedDigest }) => {
    asked.push(expectedDigest);
    return expectedDigest === 'abcdefabcdefabcd'
      ? Promise.resolve({ ...planOf({ web: { phase: 1, action: 'upgrade' } }), prerequisites: false })
      : Promise.reject(ApplicationFailure.nonRetryable('the plan has changed', FAILURES.planOutdated));
  };
  const parts = { east: part('east', { makePlan }), west: part('west', { makePlan }) };
  await serving(parts, async () => {
    const input = inputOf([
      ['first', ['east']],
      ['rest', ['west']],
    ]);
    input.rings[0]!.targets[0]!.expectedDigest = 'abcdefabcdefabcd';
    input.rings[1]!.targets[0]!.expectedDigest = '0000000000000000';
    const view = await endOf(await start(input));
    assert.deepEqual(statesOf(view), ['failed', 'first passed: east deployed', 'rest failed: west failed']);
    assert.match(view.rings[1]?.reasons[0] ?? '', /^west: .*the plan has changed/);
    assert.deepEqual(asked, ['abcdefabcdefabcd', '0000000000000000']);
  });
});
