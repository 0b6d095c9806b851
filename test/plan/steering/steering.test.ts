/**
 * Requests that steer a running operation: what is refused, what each changes, what phases get, when all is over.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ServiceOutcome, ServiceState } from '../../../src/contract/operations/deploy.ts';
import type { Operation, OperationPlan } from '../../../src/contract/operations/plan.ts';
import {
  DEPENDENCY_FAILED,
  DEPENDENCY_SKIPPED,
  SKIPPED_BY_REQUEST,
  STOPPED,
} from '../../../src/contract/operations/states.ts';
import type { Steering, SteerRequest } from '../../../src/contract/operations/steering.ts';
import { applyEvent, type DeploymentProgress, emptyProgress } from '../../../src/plan/progress.ts';
import { phaseSteering } from '../../../src/plan/steering/phase.ts';
import { refusalOf } from '../../../src/plan/steering/refusal.ts';
import { parseRequest } from '../../../src/plan/steering/request.ts';
import { isAtRest, lateSkips, restOutcomes } from '../../../src/plan/steering/rest.ts';
import { ask, emptySteering, extensionOf, intervene, reached, unanswered } from '../../../src/plan/steering/state.ts';
import { answerText, heldLines, interventionText } from '../../../src/plan/steering/words.ts';
import { planOf } from '../../support/plans.ts';

const WHEN = '2026-01-01T10:00:00.000Z';
const by = 'ops@host';
const reason = 'maintenance';

function plan(onFailure: OperationPlan['onFailure'] = 'continue'): OperationPlan {
  const made = planOf({
    db: { phase: 1 },
    cache: { phase: 1 },
    api: { phase: 2, dependsOn: ['db', 'cache'] },
    web: { phase: 3, dependsOn: ['api'] },
    same: { phase: 3, action: 'unchanged' },
    left: { phase: 4, action: 'excluded' },
  });
  made.services[2]!.optionalDependencies = ['cache'];
  return { ...made, onFailure };
}

/** A view in which services are in these states. */
function view(
  states: Record<string, ServiceState> = {},
  { onFailure, steering }: { onFailure?: OperationPlan['onFailure']; steering?: Steering } = {},
): DeploymentProgress {
  let made = applyEvent(emptyProgress(), { kind: 'plan', plan: plan(onFailure), at: 0 });
  for (const [service, state] of Object.entries(states)) {
    const failure = { failed: 'Unexpected', skipped: SKIPPED_BY_REQUEST }[state as 'failed'];
    const outcome: ServiceOutcome = {
      name: service,
      phase: 1,
      state: state as ServiceOutcome['state'],
      seconds: 1,
      changed: false,
      ...(failure === undefined ? {} : { failure: { type: failure, message: `${service} ${state}` } }),
    };
    const ended = !['waiting', 'applying', 'starting', 'removing'].includes(state);
    made = applyEvent(made, {
      kind: 'progress',
      event: { service, state, at: 1, ...(ended ? { outcome } : {}) },
    });
  }
  return steering === undefined ? made : applyEvent(made, { kind: 'steering', steering, at: 2 });
}

const after = (...requests: SteerRequest[]): Steering =>
  requests.reduce((steering, request) => intervene(steering, request, WHEN), emptySteering());
const question = {
  service: 'db',
  failure: 'no',
  since: WHEN,
  until: '2026-01-01T12:00:00.000Z',
  then: 'stop',
} as const;

describe('a request is not valid', () => {
  const cases: [string, unknown, RegExp][] = [
    ['nothing', undefined, /not valid/],
    ['a list', [{ verb: 'resume', by }], /not valid/],
    ['a text that is too long', { verb: 'resume', by: 'x'.repeat(501) }, /by has to be/],
    ['a fraction of a second', { verb: 'extend', by, seconds: 1.5 }, /seconds/],
    ['a service that is no text', { verb: 'retry', by, service: 7 }, /service has to be/],
    ['another verb', { verb: 'stop', by }, /verb/],
    ['a pause without a reason', { verb: 'pause', by }, /reason/],
    ['an empty reason', { verb: 'skip', by, service: 'db', reason: ' ' }, /reason/],
    ['nobody asks', { verb: 'retry', service: 'db' }, /by/],
    ['a field that nobody knows', { verb: 'retry', by, service: 'db', now: true }, /now/i],
    ['no time', { verb: 'extend', by, seconds: 0 }, /seconds/],
    ['more than a week', { verb: 'extend', by, seconds: 604_801 }, /seconds/],
    ['another end', { verb: 'abandon', by, service: 'db', reason, then: 'retry' }, /then/],
  ];
  for (const [name, input, expected] of cases)
    test(name, () => {
      const parsed = parseRequest(input);
      assert.ok('wrong' in parsed);
      assert.match(parsed.wrong, expected);
    });

  test('a phase may be given as a number', () => {
    assert.deepEqual(parseRequest({ verb: 'pause', by, reason, at: 3 }), {
      request: { verb: 'pause', by, reason, at: '3' },
    });
  });
});

describe('refused', () => {
  const cases: [string, SteerRequest, DeploymentProgress, RegExp, { operation?: Operation; over?: boolean }?][] = [
    [
      'anything but resume after the end',
      { verb: 'pause', by, reason },
      view(),
      /All services have ended/,
      { over: true },
    ],
    ['an adoption', { verb: 'pause', by, reason }, view(), /adoption/, { operation: 'adopt' }],
    [
      'paused twice',
      { verb: 'pause', by, reason },
      view({}, { steering: after({ verb: 'pause', by, reason }) }),
      /paused already, by ops@host/,
    ],
    [
      'a pause at something unknown',
      { verb: 'pause', by, reason, at: 'wep' },
      view(),
      /no service or phase "wep".*"web"/,
    ],
    [
      'a pause at what has begun',
      { verb: 'pause', by, reason, at: 'db' },
      view({ db: 'starting' }),
      /db has begun already: it is starting/,
    ],
    [
      'a pause at a phase that has begun',
      { verb: 'pause', by, reason, at: '1' },
      view({ db: 'healthy' }),
      /Phase 1 has begun already: db is healthy/,
    ],
    ['a pause at what is as wanted', { verb: 'pause', by, reason, at: 'same' }, view(), /Nothing is done to same/],
    [
      'a pause at the same again',
      { verb: 'pause', by, reason, at: 'web' },
      view({}, { steering: after({ verb: 'pause', by, reason, at: 'web' }) }),
      /will pause at web already/,
    ],
    ['nothing to resume', { verb: 'resume', by }, view(), /not paused/],
    ['a retry without a plan', { verb: 'retry', by, service: 'db' }, emptyProgress(), /no plan yet/],
    [
      'a retry of what has not failed',
      { verb: 'retry', by, service: 'db' },
      view({ db: 'starting' }),
      /has not failed: it is starting/,
    ],
    ['a retry of something unknown', { verb: 'retry', by, service: 'dp' }, view(), /no service "dp".*"db"/],
    [
      'a retry of what was skipped',
      { verb: 'retry', by, service: 'db' },
      view({ db: 'failed' }, { steering: after({ verb: 'skip', by, service: 'db', reason }) }),
      /skipped by ops@host: maintenance/,
    ],
    [
      'a skip of what is healthy',
      { verb: 'skip', by, service: 'db', reason },
      view({ db: 'healthy' }),
      /ended already: it is healthy/,
    ],
    ['a skip of what was not selected', { verb: 'skip', by, service: 'left', reason }, view(), /not selected/],
    [
      'a skip of a destruction',
      { verb: 'skip', by, service: 'db', reason },
      view(),
      /leaves no service out/,
      { operation: 'destroy' },
    ],
    [
      'a skip twice',
      { verb: 'skip', by, service: 'db', reason },
      view({}, { steering: after({ verb: 'skip', by, service: 'db', reason }) }),
      /was skipped by/,
    ],
    [
      'an extension of what has failed',
      { verb: 'extend', by, service: 'db', seconds: 60 },
      view({ db: 'failed' }),
      /failed already: retry/,
    ],
    [
      'an extension of what is healthy',
      { verb: 'extend', by, service: 'db', seconds: 60 },
      view({ db: 'healthy' }),
      /ended already/,
    ],
    [
      'an extension of a destruction',
      { verb: 'extend', by, seconds: 60 },
      view(),
      /waits for no health/,
      { operation: 'destroy' },
    ],
    [
      'an answer that nobody asked for',
      { verb: 'abandon', by, service: 'db', reason },
      view({ db: 'failed' }),
      /Nobody is asked about db \(no question is open\)/,
    ],
  ];
  for (const [name, request, seen, expected, { operation = 'deploy', over = false } = {}] of cases)
    test(name, () => {
      assert.match(refusalOf({ operation, view: seen, over }, request) ?? 'it was accepted', expected);
    });
});

describe('accepted', () => {
  const cases: [string, SteerRequest, DeploymentProgress, boolean?][] = [
    ['a pause before the plan', { verb: 'pause', by, reason }, emptyProgress()],
    ['a pause at a service before the plan', { verb: 'pause', by, reason, at: 'db' }, emptyProgress()],
    ['a pause at a phase', { verb: 'pause', by, reason, at: '2' }, view({ db: 'starting' })],
    [
      'resume, also once all services have ended',
      { verb: 'resume', by },
      view({}, { steering: after({ verb: 'pause', by, reason }) }),
      true,
    ],
    ['a retry of what has failed', { verb: 'retry', by, service: 'db' }, view({ db: 'failed' })],
    ['a skip of what has failed', { verb: 'skip', by, service: 'db', reason }, view({ db: 'failed' })],
    ['a skip of what is at work', { verb: 'skip', by, service: 'db', reason }, view({ db: 'applying' })],
    ['a skip before the plan', { verb: 'skip', by, service: 'db', reason }, emptyProgress()],
    ['an extension of all', { verb: 'extend', by, seconds: 60 }, view()],
    ['an extension of what waits', { verb: 'extend', by, service: 'db', seconds: 60 }, view({ db: 'starting' })],
    [
      'an answer',
      { verb: 'abandon', by, service: 'db', reason },
      view({ db: 'failed' }, { steering: ask(emptySteering(), question) }),
    ],
    [
      'an answer to that very question',
      { verb: 'retry', by, service: 'db', question: question.since },
      view({ db: 'failed' }, { steering: ask(emptySteering(), question) }),
    ],
  ];
  for (const [name, request, seen, over = false] of cases)
    test(name, () => {
      assert.equal(refusalOf({ operation: 'deploy', view: seen, over }, request), undefined);
    });
});

test('an answer to a question that is answered, or to an earlier one, is refused', () => {
  const steering = ask(emptySteering(), question);
  const retry = { verb: 'retry', by, service: 'db', question: question.since } as const;
  const refusal = (request: SteerRequest, now: typeof steering): string =>
    refusalOf({ operation: 'deploy', view: view({ db: 'failed' }, { steering: now }), over: false }, request) ?? '';
  assert.match(
    refusal(retry, intervene(steering, { verb: 'skip', by, service: 'db', reason }, WHEN)),
    /answered already/,
  );
  assert.match(refusal({ ...retry, question: '2025-12-31T00:00:00.000Z' }, steering), /answered already/);
  assert.deepEqual(parseRequest(retry), { request: retry });
  assert.ok('wrong' in parseRequest({ verb: 'pause', by, reason, question: question.since }));
});

describe('what each changes', () => {
  test('pause and resume', () => {
    const paused = after({ verb: 'pause', by, reason });
    assert.deepEqual(paused.paused, { by, reason, since: WHEN });
    assert.deepEqual(heldLines(paused), [`Paused by ops@host since ${WHEN}: maintenance`]);
    const resumed = intervene(paused, { verb: 'resume', by }, WHEN);
    assert.equal(resumed.paused, undefined);
    assert.deepEqual(resumed.interventions.map(interventionText), [
      'paused by ops@host: maintenance',
      'resumed by ops@host',
    ]);
  });

  test('a pause that is to come is reached once, by its service or the first of its phase', () => {
    const asked = after({ verb: 'pause', by, reason, at: '2' });
    assert.deepEqual(phaseSteering(view({}, { steering: asked }), false).pauseAt, ['api']);
    assert.equal(reached(asked, plan(), 'web', WHEN), asked);
    const met = reached(asked, plan(), 'api', WHEN);
    assert.deepEqual([met.paused, met.pauseAt], [{ by, reason, since: WHEN, before: 'api' }, []]);
    assert.deepEqual(intervene(asked, { verb: 'resume', by }, WHEN).pauseAt, []);
  });

  test('a retry resets the service, and answers what was asked of it', () => {
    const steering = intervene(ask(emptySteering(), question), { verb: 'retry', by, service: 'db' }, WHEN);
    assert.deepEqual([steering.retries, steering.questions], [{ db: 1 }, {}]);
    const again = view({ db: 'failed' }, { steering });
    assert.deepEqual([again.services['db']?.state, again.services['db']?.attempt], ['waiting', 1]);
    // What arrives late of the attempt before changes nothing; the next attempt does.
    const late = applyEvent(again, { kind: 'progress', event: { service: 'db', state: 'failed', at: 9 } });
    assert.equal(late, again);
    const next = applyEvent(again, {
      kind: 'progress',
      event: { service: 'db', state: 'applying', at: 9, attempt: 1 },
    });
    assert.equal(next.services['db']?.state, 'applying');
  });

  test('what has failed can be skipped, what is healthy cannot any more', () => {
    const event = {
      kind: 'progress',
      event: {
        service: 'db',
        state: 'skipped',
        at: 5,
        outcome: {
          name: 'db',
          phase: 1,
          state: 'skipped',
          seconds: 0,
          changed: false,
          failure: { type: SKIPPED_BY_REQUEST, message: '' },
        },
      },
    } as const;
    assert.equal(applyEvent(view({ db: 'failed' }), event).services['db']?.state, 'skipped');
    assert.equal(applyEvent(view({ db: 'healthy' }), event).services['db']?.state, 'healthy');
  });

  test('extensions add up, of one and of all', () => {
    const steering = after(
      { verb: 'extend', by, service: 'db', seconds: 60 },
      { verb: 'extend', by, seconds: 30 },
      { verb: 'extend', by, service: 'db', seconds: 5 },
    );
    assert.deepEqual([extensionOf(steering, 'db'), extensionOf(steering, 'web')], [95, 30]);
  });

  test('an answer, and none in time', () => {
    const asked = ask(emptySteering(), question);
    assert.deepEqual(heldLines(asked), [
      'db failed (no): retry, skip or abandon it until 2026-01-01T12:00:00.000Z, then stop',
    ]);
    const answered = intervene(asked, { verb: 'abandon', by, service: 'db', reason, then: 'continue' }, WHEN);
    assert.deepEqual([answered.decisions, answered.questions], [{ db: 'continue' }, {}]);
    const none = unanswered(asked, question, WHEN);
    assert.deepEqual([none.decisions, none.questions], [{ db: 'stop' }, {}]);
    assert.match(
      interventionText(none.interventions[0]!),
      /db given up, then stop by the environment: nobody answered within 7200 s/,
    );
    // After a retry a new failure is asked about anew.
    assert.deepEqual(intervene(none, { verb: 'retry', by, service: 'db' }, WHEN).decisions, {});
  });

  test('a skip says what is lost with it, and what is not', () => {
    const answer = (service: string): string => answerText({ verb: 'skip', by, service, reason }, view());
    assert.equal(answer('db'), 'db is skipped. Not started without it: api, web.');
    assert.equal(answer('cache'), 'cache is skipped. Goes on without it: api.');
  });
});

describe('when nothing goes on any more', () => {
  const steering = (request: SteerRequest): { steering: Steering } => ({ steering: after(request) });
  const cases: [string, boolean, DeploymentProgress][] = [
    ['no plan', false, emptyProgress()],
    ['something can start', false, view()],
    ['something is at work', false, view({ db: 'failed', cache: 'starting' })],
    ['a failure, and what depends on it', true, view({ db: 'failed', cache: 'healthy' })],
    ['an independent branch can go on', false, view({ db: 'failed' })],
    ['the same, where nothing further starts', true, view({ db: 'failed' }, { onFailure: 'stop' })],
    ['somebody has paused', false, view({ db: 'failed', cache: 'healthy' }, steering({ verb: 'pause', by, reason }))],
    [
      'somebody is asked',
      false,
      view({ db: 'failed', cache: 'healthy' }, { onFailure: 'ask', steering: ask(emptySteering(), question) }),
    ],
    [
      'the answer was to go on',
      false,
      view(
        { db: 'failed' },
        { onFailure: 'ask', ...steering({ verb: 'abandon', by, service: 'db', reason, then: 'continue' }) },
      ),
    ],
    [
      'the answer was to stop',
      true,
      view(
        { db: 'failed' },
        { onFailure: 'ask', ...steering({ verb: 'abandon', by, service: 'db', reason, then: 'stop' }) },
      ),
    ],
    [
      'a skip has not arrived',
      false,
      view({ db: 'failed', cache: 'healthy' }, steering({ verb: 'skip', by, service: 'db', reason })),
    ],
    ['what was skipped is needed', true, view({ db: 'skipped', cache: 'healthy' })],
    ['what was skipped is optional', false, view({ db: 'healthy', cache: 'skipped' })],
    ['tried again', false, view({ db: 'failed', cache: 'healthy' }, steering({ verb: 'retry', by, service: 'db' }))],
    ['all is well', true, view({ db: 'healthy', cache: 'healthy', api: 'healthy', web: 'healthy' })],
  ];
  for (const [name, expected, seen] of cases)
    test(`${name}: ${expected ? 'over' : 'not yet'}`, () => {
      assert.equal(isAtRest(seen), expected);
      // Where all is well phases end by themselves.
      assert.equal(phaseSteering(seen, false).over !== undefined, expected && name !== 'all is well');
    });

  test('a skip that came too late is told, and no other', () => {
    const steering = after({ verb: 'skip', by, service: 'db', reason }, { verb: 'skip', by, service: 'cache', reason });
    assert.deepEqual(lateSkips(view({ db: 'healthy', cache: 'skipped' }, { steering })), [
      'The skip of db came too late: it was healthy by then',
    ]);
    assert.deepEqual(lateSkips(view({ db: 'healthy' })), []);
  });

  test('those end by their reason that have not started', () => {
    const ends = restOutcomes(view({ db: 'failed', cache: 'healthy' }));
    assert.deepEqual(
      Object.entries(ends).map(([name, { type, message }]) => [name, type, message]),
      [
        ['api', DEPENDENCY_FAILED, 'db, which it depends on, did not become healthy'],
        ['web', DEPENDENCY_FAILED, 'api, which it depends on, did not become healthy'],
      ],
    );
    const skipped = restOutcomes(view({ db: 'skipped', cache: 'healthy' }));
    assert.deepEqual(
      Object.values(skipped).map(({ type, message }) => [type, message]),
      [
        [DEPENDENCY_SKIPPED, 'db, which it depends on, was skipped'],
        [DEPENDENCY_SKIPPED, 'api, which it depends on, was skipped'],
      ],
    );
    const stopped = restOutcomes(view({ cache: 'failed' }, { onFailure: 'stop' }));
    assert.deepEqual(stopped['db'], {
      type: STOPPED,
      message: 'not started: cache failed, and nothing further starts then (onFailure: stop)',
    });
    assert.equal(stopped['api']?.type, DEPENDENCY_FAILED);
  });
});
