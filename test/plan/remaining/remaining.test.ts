import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OperationResult } from '../../../src/contract/operations/deploy.ts';
import { type PastRun, pastRunOf } from '../../../src/plan/remaining/past.ts';
import { remainingOf, slowServices } from '../../../src/plan/remaining/remaining.ts';
import { planOf } from '../../support/plans.ts';

/** base, then left and right beside each other, then top. */
const { services } = planOf({
  base: { phase: 1 },
  left: { phase: 2, dependsOn: ['base'] },
  right: { phase: 2, dependsOn: ['base'] },
  top: { phase: 3, dependsOn: ['left', 'right'] },
  asWanted: { phase: 3, action: 'unchanged' },
});

/** Seconds by service. */
const run = (seconds: Record<string, number>, changed = true): PastRun => ({
  runId: Object.values(seconds).join('-'),
  services: Object.fromEntries(Object.entries(seconds).map(([name, one]) => [name, { seconds: one, changed }])),
});
const QUICK = run({ base: 10, left: 20, right: 5, top: 10 });
const USUAL = run({ base: 12, left: 25, right: 8, top: 10 });
const LATE = run({ base: 30, left: 20, right: 40, top: 10 });

/** @param elapsed seconds of the services that are being deployed */
const now = (elapsed: Record<string, number>, ended: string[] = []) => ({
  services,
  ended: (name: string) => ended.includes(name),
  elapsed: (name: string) => elapsed[name],
});

const CASES: {
  name: string;
  past: PastRun[];
  elapsed?: Record<string, number>;
  ended?: string[];
  remaining: ReturnType<typeof remainingOf>;
}[] = [
  { name: 'a first deployment', past: [], remaining: null },
  {
    name: 'one earlier run has no spread',
    past: [USUAL],
    remaining: { seconds: 47, low: 47, high: 47, runs: 1 },
  },
  {
    name: 'each run goes its own longest path',
    past: [QUICK, USUAL, LATE],
    remaining: { seconds: 47, low: 40, high: 80, runs: 3 },
  },
  {
    name: 'two runs meet in the middle',
    past: [QUICK, LATE],
    remaining: { seconds: 60, low: 40, high: 80, runs: 2 },
  },
  {
    name: 'what has ended and what has been waited are no longer ahead',
    past: [QUICK, USUAL, LATE],
    ended: ['base'],
    elapsed: { left: 10, right: 4 },
    remaining: { seconds: 25, low: 20, high: 46, runs: 3 },
  },
  {
    name: 'who has overtaken the quick run goes on as the next one',
    past: [QUICK, USUAL],
    ended: ['base', 'right'],
    elapsed: { left: 22 },
    remaining: { seconds: 13, low: 13, high: 13, runs: 2 },
  },
  {
    name: 'a little longer than ever is about to end',
    past: [QUICK, USUAL],
    ended: ['base', 'right'],
    elapsed: { left: 27 },
    remaining: { seconds: 10, low: 10, high: 10, runs: 2 },
  },
  {
    name: 'nobody knows how long one goes on that takes longer than ever',
    past: [QUICK, USUAL],
    ended: ['base', 'right'],
    elapsed: { left: 31 },
    remaining: null,
  },
  {
    name: 'a service that no run has seen',
    past: [run({ base: 10, left: 20, right: 5 })],
    remaining: null,
  },
  {
    name: 'a new service that has ended by now hides nothing',
    past: [run({ left: 20, right: 5, top: 10 })],
    ended: ['base'],
    remaining: { seconds: 30, low: 30, high: 30, runs: 1 },
  },
  {
    name: 'a run that lacks a service takes the usual time for it',
    past: [QUICK, run({ base: 10, right: 5, top: 10 })],
    remaining: { seconds: 40, low: 40, high: 40, runs: 2 },
  },
  {
    name: 'a run that only waited for them does not tell how long an installation takes',
    past: [run({ base: 0.2, left: 0.2, right: 0.2, top: 0.2 }, false)],
    remaining: null,
  },
  { name: 'nothing is ahead', past: [USUAL], ended: ['base', 'left', 'right', 'top'], remaining: null },
];

describe('remaining time', () => {
  for (const { name, past, elapsed = {}, ended = [], remaining } of CASES)
    test(name, () => assert.deepEqual(remainingOf(now(elapsed, ended), past), remaining));

  test('the way back: who depends on it has to be gone first', () => {
    const back = planOf({
      top: { phase: 3, action: 'remove' },
      base: { phase: 1, action: 'remove', dependsOn: ['top'] },
    });
    assert.equal(remainingOf({ ...now({ top: 4 }), services: back.services }, [QUICK])?.seconds, 16);
  });

  test('who is only waited for now is compared with every run', () => {
    const verify = planOf({ base: { phase: 1, action: 'verify' } });
    const past = [run({ base: 3 }, false)];
    assert.equal(remainingOf({ ...now({}), services: verify.services }, past)?.seconds, 3);
  });
});

describe('longer than ever', () => {
  test('named with how long, and the longest before', () =>
    assert.deepEqual(slowServices(now({ left: 31, right: 8 }, ['base']), [QUICK, USUAL]), [
      { service: 'left', seconds: 31, longest: 25, runs: 2 },
    ]));

  test('not of one that has ended, that was never seen, or that is late by as much as clocks differ', () => {
    assert.deepEqual(slowServices(now({ left: 90 }, ['left']), [QUICK]), []);
    assert.deepEqual(slowServices(now({ left: 90 }), []), []);
    assert.deepEqual(slowServices(now({ right: 7.9 }), [QUICK]), []);
    assert.equal(slowServices(now({ right: 8.1 }), [QUICK]).length, 1);
  });
});

test('a run tells of services that ended well and were worked on', () => {
  const outcome = (name: string, state: 'healthy' | 'failed' | 'unchanged' | 'skipped', seconds: number) => ({
    name,
    phase: 1,
    state,
    seconds,
    changed: state === 'healthy',
  });
  const result: Pick<OperationResult, 'runId' | 'services'> = {
    runId: 'r',
    services: [
      outcome('web', 'healthy', 4),
      outcome('api', 'failed', 300),
      outcome('db', 'unchanged', 0),
      outcome('worker', 'skipped', 0),
    ],
  };
  assert.deepEqual(pastRunOf(result), { runId: 'r', services: { web: { seconds: 4, changed: true } } });
});
