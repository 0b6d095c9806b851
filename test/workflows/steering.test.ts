/**
 * Steering a running operation, each verb at three moments (before the plan, while Helm runs, while a service waits for
 * its health), with the worker replaced right after: what was accepted is carried out by whoever comes next.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Context, heartbeat } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { followDeployment, startOrAttach } from '../../src/clients/temporal/index.ts';
import { lockHolderOf } from '../../src/clients/temporal/lock.ts';
import { UpdateRefusedError, updateWorkflow } from '../../src/clients/temporal/update.ts';
import type { Activities, AwaitHealthyInput } from '../../src/contract/activities.ts';
import type { DeployInput, OperationResult } from '../../src/contract/operations/deploy.ts';
import { FAILURES } from '../../src/contract/failures.ts';
import { SIGNALS, UPDATES } from '../../src/contract/messages.ts';
import { phaseWorkflowId } from '../../src/contract/names.ts';
import type { OperationPlan } from '../../src/contract/operations/plan.ts';
import { DEPENDENCY_SKIPPED, SKIPPED_BY_REQUEST } from '../../src/contract/operations/states.ts';
import type { SteerAnswer, SteerRequest } from '../../src/contract/operations/steering.ts';
import { answerLinks, formProof } from '../../src/effects/notify/answer-links.ts';
import { applyEvent, type DeploymentEvent, type DeploymentProgress, emptyProgress } from '../../src/plan/progress.ts';
import { replyTo } from '../../src/worker/answers/reply.ts';
import { operationsOf } from '../../src/worker/answers/start.ts';
import { newClusterUid, startTestEngine, type TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { planOf, recordingActivities } from '../support/plans.ts';

let engine: TestEngine;
before(async () => {
  engine = await startTestEngine();
});
after(async () => {
  await engine.close();
});

const by = 'ops@host';
const reason = 'maintenance';

/** `app` and `more` come after `base`, `end` after `app`; `bad` fails at its first try, and `late` comes after it. */
function graph(onFailure: OperationPlan['onFailure'] = 'continue'): OperationPlan {
  const plan = planOf({
    base: { phase: 1 },
    bad: { phase: 1 },
    app: { phase: 2, dependsOn: ['base'] },
    more: { phase: 2, dependsOn: ['base'] },
    end: { phase: 3, dependsOn: ['app'] },
    late: { phase: 3, dependsOn: ['bad'] },
  });
  plan.services[3]!.optionalDependencies = ['base'];
  return { ...plan, onFailure, ...(onFailure === 'ask' ? { ask: { seconds: 3600, then: 'stop' } } : {}) };
}

type Held = 'plan' | 'helm' | 'health';

/** One deployment with a lock of its own, held at a moment until it is let go. */
class Scenario {
  readonly input: DeployInput;
  readonly log: string[] = [];
  readonly timeouts: number[] = [];
  view: DeploymentProgress = emptyProgress();
  result: Promise<OperationResult> | undefined;
  private isOpen = false;
  private badTries = 0;
  private healthTries = 0;
  private run: { workflowId: string; runId: string } | undefined;
  private readonly waiting: { fits: (view: DeploymentProgress) => boolean; found: () => void }[] = [];

  readonly held: Held;
  readonly plan: OperationPlan;
  readonly healthy: (input: AwaitHealthyInput, tries: number) => void;

  constructor(held: Held, plan: OperationPlan, healthy: Scenario['healthy'] = () => undefined) {
    this.held = held;
    this.plan = plan;
    this.healthy = healthy;
    const clusterUid = newClusterUid();
    this.input = { environment: 'test', imageTags: {}, clusterUid, requestedBy: 'tester@host' };
    scenarios.set(clusterUid, this);
  }

  open(): void {
    this.isOpen = true;
  }

  async start(): Promise<void> {
    this.run = await startOrAttach(engine.client, 'deploy', this.input, 'refuse');
    this.result = followDeployment(engine.client, this.run, {
      onEvent: (event: DeploymentEvent) => {
        this.view = applyEvent(this.view, event);
        for (const { fits, found } of this.waiting) if (fits(this.view)) found();
      },
    });
  }

  /** Waits until the view that a watcher gets is so. */
  until(fits: (view: DeploymentProgress) => boolean): Promise<void> {
    if (fits(this.view)) return Promise.resolve();
    return new Promise((found) => {
      this.waiting.push({ fits, found });
    });
  }

  untilHeld(): Promise<void> {
    const state = { plan: undefined, helm: 'applying', health: 'starting' }[this.held];
    return this.until((view) => (state === undefined ? view.startedAt > 0 : this.stateOf('base', view) === state));
  }

  stateOf(service: string, view = this.view): string | undefined {
    return view.services[service]?.state;
  }

  async steer(request: SteerRequest): Promise<string> {
    assert.ok(this.run);
    return (await updateWorkflow<SteerAnswer>(engine.client, this.run, UPDATES.steer, request, 60_000)).text;
  }

  async signal(request: unknown): Promise<void> {
    await engine.client.workflow.getHandle(this.run?.workflowId ?? '').signal(SIGNALS.steer, request);
  }

  async cancel(): Promise<void> {
    await engine.client.workflow.getHandle(this.run?.workflowId ?? '').cancel();
  }

  async supersede(): Promise<void> {
    await engine.client.workflow.getHandle(this.run?.workflowId ?? '').signal(SIGNALS.supersede, { by: 'other@host' });
  }

  get runId(): string {
    return this.run?.runId ?? '';
  }

  get workflowId(): string {
    return this.run?.workflowId ?? '';
  }

  async ended(): Promise<{ result: OperationResult; states: Record<string, string> }> {
    assert.ok(this.result);
    const result = await this.result;
    return { result, states: Object.fromEntries(result.services.map(({ name, state }) => [name, state])) };
  }

  async pass(moment: Held): Promise<void> {
    while (this.held === moment && !this.isOpen) {
      heartbeat();
      if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('asked to end');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  activities(): Partial<Activities> {
    return {
      makePlan: async () => {
        await this.pass('plan');
        return this.plan;
      },
      applyRelease: async ({ step, again }) => {
        if (step.name === 'base') await this.pass('helm');
        this.log.push(`apply ${step.name}${again ? ' again' : ''}`);
        return { changed: true, revision: 1, seconds: 0 };
      },
      awaitHealthy: async (input) => {
        const { name } = input.step;
        if (name === 'base') {
          this.timeouts.push(input.timeoutSeconds);
          await this.pass('health');
          this.healthTries += 1;
          this.healthy(input, this.healthTries);
        }
        if (name === 'bad') {
          this.badTries += 1;
          if (this.badTries === 1) throw notHealthy('bad-0: CrashLoopBackOff');
        }
        this.log.push(`healthy ${name}`);
        return { seconds: 0, proof: '' };
      },
      recordVersion: ({ acts }) => {
        this.log.push(`version with ${acts?.length ?? 0}`);
        return Promise.resolve({ version: 1 });
      },
      recordResult: ({ outcome, acts }) => {
        this.log.push(`result ${outcome} with ${acts?.length ?? 0}`);
        return Promise.resolve();
      },
      notify: ({ event, title }) => {
        this.log.push(`notify ${event}: ${title}`);
        return Promise.resolve({ sent: true });
      },
    };
  }
}

const scenarios = new Map<string, Scenario>();

function notHealthy(text: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(text, FAILURES.notHealthyInTime);
}

/** One worker serves all scenarios: each activity goes to that of its run's cluster. */
function activities(): Activities {
  const fallback = recordingActivities(planOf({})).activities;
  return Object.fromEntries(
    Object.keys(fallback).map((name) => [
      name,
      (input: { run?: { clusterUid: string }; clusterUid?: string }) => {
        const scenario = scenarios.get(input.run?.clusterUid ?? input.clusterUid ?? '');
        const own = { ...fallback, ...scenario?.activities() } as unknown as Record<string, (of: unknown) => unknown>;
        return own[name]?.(input);
      },
    ]),
  ) as unknown as Activities;
}

/**
 * The clock of `--timeout` ran until the pause, was stopped, and went on with what was left: the time of the pause is
 * not part of it.
 */
async function assertStoodStill({ workflowId, input: { timeoutSeconds = 0 } }: Scenario): Promise<void> {
  const { events = [] } = await engine.client.workflow.getHandle(workflowId).fetchHistory();
  /** What the workflow took for now when it did this: the begin of its task. */
  const now = (task: Long | null | undefined): number => {
    const done = events?.find(({ eventId }) => eventId?.equals(task ?? 0));
    const began = done?.workflowTaskCompletedEventAttributes?.startedEventId ?? 0;
    const { seconds, nanos } = events?.find(({ eventId }) => eventId?.equals(began))?.eventTime ?? {};
    return Number(seconds) * 1000 + Math.floor((nanos ?? 0) / 1e6);
  };
  const clocks = (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) => {
    const { seconds, nanos } = timer?.startToFireTimeout ?? {};
    const left = Number(seconds ?? 0) * 1000 + Math.floor((nanos ?? 0) / 1e6);
    return timer && left > timeoutSeconds * 500
      ? [{ id: timer.timerId, left, at: now(timer.workflowTaskCompletedEventId) }]
      : [];
  });
  const stopped = (events ?? []).find(({ timerCanceledEventAttributes: timer }) => timer?.timerId === clocks[0]?.id);
  const [first, second] = clocks;
  assert.ok(first && second && stopped, `clocks: ${JSON.stringify(clocks)}`);
  const worked = now(stopped.timerCanceledEventAttributes?.workflowTaskCompletedEventId) - first.at;
  assert.equal(first.left, timeoutSeconds * 1000);
  assert.equal(second.left, first.left - worked);
  assert.ok(second.at - first.at > worked, 'it was not paused at all');
}

/** A worker that is gone as soon as `work` is done. */
const withWorker = <T>(work: () => Promise<T>): Promise<T> => engine.withWorker(activities(), work);

async function refused(attempt: Promise<unknown>, words: RegExp): Promise<void> {
  await assert.rejects(attempt, (error: unknown) => {
    assert.ok(error instanceof UpdateRefusedError, String(error));
    assert.match(error.message, words);
    return true;
  });
}

describe('steered, and the worker replaced right after', () => {
  test('before the plan', async () => {
    const paused = new Scenario('plan', graph());
    const pausedAt = new Scenario('plan', graph());
    const skipped = new Scenario('plan', graph());
    const extended = new Scenario('plan', graph());
    const all = [paused, pausedAt, skipped, extended];
    await withWorker(async () => {
      await Promise.all(all.map((one) => one.start()));
      await Promise.all(all.map((one) => one.untilHeld()));
      await refused(paused.steer({ verb: 'retry', by, service: 'bad' }), /no plan yet/);
      await refused(paused.steer({ verb: 'abandon', by, service: 'bad', reason }), /Nobody is asked/);
      await refused(paused.steer({ verb: 'resume', by }), /not paused/);
      await refused(paused.steer({ verb: 'skip', by } as SteerRequest), /service has to be a text/);
      // A pause that was still to come is taken back.
      await skipped.steer({ verb: 'pause', by, reason, at: 'base' });
      assert.equal(await skipped.steer({ verb: 'resume', by }), 'It goes on.');
      assert.match(await paused.steer({ verb: 'pause', by, reason }), /nothing further starts/);
      await pausedAt.steer({ verb: 'pause', by, reason, at: 'app' });
      await skipped.steer({ verb: 'skip', by, service: 'app', reason });
      await skipped.steer({ verb: 'skip', by, service: 'bad', reason });
      await skipped.steer({ verb: 'skip', by, service: 'nothing', reason });
      await extended.steer({ verb: 'extend', by, service: 'base', seconds: 60 });
      await extended.steer({ verb: 'extend', by, seconds: 5 });
    });
    for (const one of all) one.open();
    await withWorker(async () => {
      await paused.until(({ plan }) => plan !== undefined);
      assert.equal(paused.view.steering?.paused?.reason, reason);
      await pausedAt.until(({ steering }) => steering?.paused !== undefined);
      assert.equal(pausedAt.view.steering?.paused?.before, 'app');
      await pausedAt.until((view) => pausedAt.stateOf('bad', view) === 'failed');
      assert.deepEqual(paused.log, [], 'something was begun while it was paused');
      // What is paused may be tried again, although nothing is at work any more.
      await pausedAt.steer({ verb: 'retry', by, service: 'bad' });
      await pausedAt.steer({ verb: 'resume', by });
      await paused.steer({ verb: 'skip', by, service: 'bad', reason });
      await paused.steer({ verb: 'resume', by });

      assert.deepEqual((await pausedAt.ended()).states, {
        base: 'healthy',
        bad: 'healthy',
        app: 'healthy',
        more: 'healthy',
        end: 'healthy',
        late: 'healthy',
      });
      assert.deepEqual((await paused.ended()).states, {
        base: 'healthy',
        bad: 'skipped',
        app: 'healthy',
        more: 'healthy',
        end: 'healthy',
        late: 'skipped',
      });
      const { result, states } = await skipped.ended();
      assert.deepEqual(states, {
        base: 'healthy',
        bad: 'skipped',
        app: 'skipped',
        more: 'healthy',
        end: 'skipped',
        late: 'skipped',
      });
      assert.equal(result.outcome, 'succeeded');
      const failureOf = (name: string): string | undefined =>
        result.services.find((service) => service.name === name)?.failure?.type;
      assert.deepEqual([failureOf('app'), failureOf('end')], [SKIPPED_BY_REQUEST, DEPENDENCY_SKIPPED]);
      assert.ok(result.notes?.some((note) => note.includes('nothing had no effect')));
      assert.deepEqual(
        result.acts?.map(({ act }) => act),
        ['pause', 'resume', 'skip', 'skip', 'skip'],
      );
      assert.ok(skipped.log.includes('version with 5') && skipped.log.includes('result succeeded with 5'));
      await extended.ended();
      assert.deepEqual(extended.timeouts, [95]);
    });
  });

  for (const moment of ['helm', 'health'] as const)
    test(moment === 'helm' ? 'while Helm runs' : 'while a service waits', async () => {
      const paused = new Scenario(moment, graph());
      const skipped = new Scenario(moment, graph());
      const extended = new Scenario(moment, graph(), ({ timeoutSeconds }, tries) => {
        if (tries === 1 && timeoutSeconds === 30) throw notHealthy('base-0 is not ready');
      });
      const retried = new Scenario(moment, graph('stop'));
      const answered = new Scenario(moment, graph('ask'));
      const resumed = new Scenario(moment, graph());
      const all = [paused, skipped, extended, retried, answered, resumed];
      await withWorker(async () => {
        await Promise.all(all.map((one) => one.start()));
        await Promise.all(all.map((one) => one.untilHeld()));
        await Promise.all(all.map((one) => one.until((view) => one.stateOf('bad', view) === 'failed')));
        await answered.until(({ steering }) => steering?.questions['bad'] !== undefined);
        await refused(
          paused.steer({ verb: 'retry', by, service: 'base' }),
          /has not failed: it is (applying|starting)/,
        );
        await refused(paused.steer({ verb: 'retry', by, service: 'bat' }), /no service "bat".*"bad"/);
        await refused(paused.steer({ verb: 'pause', by, reason, at: 'base' }), /has begun already/);
        await refused(paused.steer({ verb: 'extend', by, service: 'bad', seconds: 60 }), /failed already: retry/);
        await paused.steer({ verb: 'pause', by, reason });
        // Phase 3 has begun with nothing: `late` waits for `bad`, which has failed.
        await resumed.steer({ verb: 'pause', by, reason, at: '3' });
        await resumed.steer({ verb: 'pause', by, reason });
        await resumed.steer({ verb: 'resume', by });
        await refused(paused.steer({ verb: 'pause', by, reason }), /paused already, by ops@host/);
        assert.equal(
          await skipped.steer({ verb: 'skip', by, service: 'base', reason }),
          'base is skipped. Not started without it: app, end. Goes on without it: more.',
        );
        await extended.steer({ verb: 'extend', by, service: 'base', seconds: 60 });
        await retried.steer({ verb: 'retry', by, service: 'bad' });
        if (moment === 'helm') await answered.steer({ verb: 'abandon', by, service: 'bad', reason, then: 'continue' });
        else await answeredByLink(answered);
        assert.deepEqual((await lockHolderOf(engine.client, paused.workflowId))?.held, [
          `Paused by ops@host since ${paused.view.steering?.paused?.since}: maintenance`,
        ]);
      });
      for (const one of all) one.open();
      await withWorker(async () => {
        // Helm at work ends, and what it applied is waited for; nothing else begins.
        await paused.until((view) => paused.stateOf('base', view) === 'healthy');
        assert.ok(!paused.log.some((line) => /apply (app|more)/.test(line)), paused.log.join());
        await paused.steer({ verb: 'resume', by, reason: 'done' });
        const ofPaused = await paused.ended();
        assert.deepEqual(ofPaused.states, {
          base: 'healthy',
          bad: 'failed',
          app: 'healthy',
          more: 'healthy',
          end: 'healthy',
          late: 'skipped',
        });
        assert.deepEqual(
          ofPaused.result.acts?.map((one) => [one.act, one.by, one.reason]),
          [
            ['pause', by, reason],
            ['resume', by, 'done'],
          ],
        );

        const ofSkipped = await skipped.ended();
        assert.deepEqual(ofSkipped.states, {
          base: 'skipped',
          bad: 'failed',
          app: 'skipped',
          more: 'healthy',
          end: 'skipped',
          late: 'skipped',
        });
        assert.equal(ofSkipped.result.services[0]?.changed, true, 'what Helm did was forgotten');

        assert.equal((await extended.ended()).states['base'], 'healthy');
        assert.deepEqual(
          extended.timeouts.filter((seconds, at, every) => seconds !== every[at - 1]),
          moment === 'helm' ? [90] : [30, 60],
        );

        const ofRetried = await retried.ended();
        assert.equal(ofRetried.result.outcome, 'succeeded');
        assert.deepEqual(ofRetried.states, {
          base: 'healthy',
          bad: 'healthy',
          app: 'healthy',
          more: 'healthy',
          end: 'healthy',
          late: 'healthy',
        });
        assert.ok(retried.log.includes('apply bad again'));

        // Resuming does not take back a pause that was asked for at a later service.
        await resumed.until(({ steering }) => steering?.paused?.before !== undefined);
        assert.equal(resumed.view.steering?.paused?.before, 'end');
        assert.deepEqual([resumed.stateOf('app'), resumed.stateOf('end')], ['healthy', 'waiting']);
        await resumed.steer({ verb: 'resume', by });
        assert.equal((await resumed.ended()).states['end'], 'healthy');

        const ofAnswered = await answered.ended();
        assert.equal(ofAnswered.result.outcome, 'failed');
        assert.deepEqual([ofAnswered.states['bad'], ofAnswered.states['end']], ['failed', 'healthy']);
        const who = moment === 'helm' ? by : 'signed link (notification to ops)';
        assert.deepEqual(
          ofAnswered.result.acts?.map((act) => [act.act, act.by, act.reason, act.on]),
          [['abandon', who, reason, 'bad, then continue']],
        );
        assert.ok(answered.log.some((line) => line.startsWith('notify question: bad failed on test')));
      });
    });
});

test('a skip that was accepted holds, although the wait ends well in the same moment', async () => {
  /** An activity that does not notice its cancellation, as on a worker that has just died. */
  class IgnoresCancellation extends Scenario {
    override async pass(moment: Held): Promise<void> {
      while (this.held === moment && !this.isOver) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    isOver = false;
  }
  const uncancelled = new IgnoresCancellation('health', graph());
  await withWorker(async () => {
    await uncancelled.start();
    await uncancelled.untilHeld();
    await uncancelled.steer({ verb: 'skip', by, service: 'base', reason });
    // A signal that reaches the phase after its last wait has ended comes too late.
    const phase = engine.client.workflow.getHandle(phaseWorkflowId(uncancelled.workflowId, uncancelled.runId, 1));
    await eventually(async () => {
      const { events } = await phase.fetchHistory();
      assert.ok(
        events?.some((event) => event.workflowExecutionSignaledEventAttributes?.signalName === SIGNALS.steerPhase),
      );
    });
    uncancelled.isOver = true;
    const { result, states } = await uncancelled.ended();
    assert.deepEqual(
      [states['base'], states['app'], states['more'], states['end']],
      ['skipped', 'skipped', 'healthy', 'skipped'],
    );
    const base = result.services.find(({ name }) => name === 'base');
    assert.deepEqual([base?.changed, base?.failure?.type], [true, SKIPPED_BY_REQUEST]);
  });
});

/** As the page behind a notification's link does: once, and by none of the other links afterwards. */
async function answeredByLink(one: Scenario): Promise<void> {
  const key = 'k'.repeat(32);
  const question = one.view.steering?.questions['bad'];
  assert.ok(question);
  const { service, since, until, then } = question;
  const links = answerLinks(
    key,
    'https://answers.example',
    'ops',
    {
      ...{ id: 'msg', event: 'question', environment: 'test', title: '', lines: [], at: since },
      ...{ workflowId: one.workflowId, runId: one.runId },
      asks: { kind: 'question', service, since, until, then },
    },
    Date.now(),
  );
  const tokenOf = (answer: string): string =>
    links
      .find((link) => link.answer === answer)
      ?.url.split('/')
      .at(-1) ?? '';
  const parts = {
    ...{ environment: 'test', operations: operationsOf({ client: engine.client }) },
    ...{ key: () => Promise.resolve(key), say: () => undefined },
  };
  const token = tokenOf('abandon-continue');
  assert.equal((await replyTo(parts, token)).status, 200);
  const proof = formProof(key, token);
  const { status, page } = await replyTo(parts, token, { proof, reason });
  assert.deepEqual([status, page.title], [200, 'Answered: bad stays failed; then: continue.']);
  for (const other of ['abandon-continue', 'retry']) {
    const again = await replyTo(parts, tokenOf(other), { proof: formProof(key, tokenOf(other)), reason });
    assert.equal(again.status, 410);
    assert.match(again.page.lines.join(), /^abandon by signed link \(notification to ops\), at /);
  }
  // When both links had seen the question open, the operation accepts the first answer alone.
  await refused(one.steer({ verb: 'retry', by, service, question: since }), /is answered already/);
}

test('a paused operation is cancelled, superseded, and goes on under a deadline; nobody answers; the UI sends signals', async () => {
  const cancelled = new Scenario('health', graph());
  const superseded = new Scenario('health', graph());
  const timed = new Scenario('health', graph());
  timed.input.timeoutSeconds = 600;
  const unanswered = new Scenario('health', { ...graph('ask'), ask: { seconds: 1, then: 'continue' } });
  const signalled = new Scenario('health', graph());
  const all = [cancelled, superseded, timed, unanswered, signalled];
  await withWorker(async () => {
    await Promise.all(all.map((one) => one.start()));
    await Promise.all(all.map((one) => one.untilHeld()));
    for (const one of [cancelled, superseded, timed]) await one.steer({ verb: 'pause', by, reason });
    await signalled.signal({ verb: 'pause', by: 'ui@engine', reason });
    await signalled.until(({ steering }) => steering?.paused?.by === 'ui@engine');
    await signalled.signal({ verb: 'retry', by: 'ui@engine', service: 'nothing' });
    await signalled.until(({ steering }) => /refused: There is no service "nothing"/.test(steering?.news ?? ''));
    await signalled.signal({ verb: 'resume', by: 'ui@engine' });
    await unanswered.until(({ steering }) => steering?.decisions['bad'] === 'continue');
    await cancelled.cancel();
    const ofCancelled = (await cancelled.ended()).result;
    await superseded.supersede();
    for (const one of all) one.open();
    assert.equal(ofCancelled.outcome, 'cancelled');
    // The error that the engine keeps of a cancelled workflow has no field for the acts.
    assert.deepEqual(
      ofCancelled.acts?.map((one) => [one.act, one.by, one.reason]),
      [['pause', by, reason]],
    );
    const base = ofCancelled.services.find(({ name }) => name === 'base');
    assert.deepEqual([base?.state, base?.changed], ['cancelled', true], 'what Helm did was forgotten');
    const ofSuperseded = await superseded.ended();
    assert.deepEqual([ofSuperseded.result.outcome, ofSuperseded.result.supersededBy], ['cancelled', 'other@host']);
    await timed.steer({ verb: 'resume', by });
    assert.equal((await timed.ended()).states['end'], 'healthy');
    await assertStoodStill(timed);
    assert.equal((await signalled.ended()).states['end'], 'healthy');
    const { result, states } = await unanswered.ended();
    assert.deepEqual([result.outcome, states['bad'], states['end']], ['failed', 'failed', 'healthy']);
    assert.deepEqual(
      result.acts?.map((one) => [one.act, one.by, one.on]),
      [['abandon', 'the environment', 'bad, then continue']],
    );
  });
});
