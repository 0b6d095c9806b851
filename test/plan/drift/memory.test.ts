import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DriftFinding, DriftReport } from '../../../src/contract/drift.ts';
import { type Acceptance, type DriftRun, driftStateSchema } from '../../../src/contract/drift-state.ts';
import { byKey, shortId } from '../../../src/plan/drift/key.ts';
import {
  capped,
  flapping,
  MOST_FINDINGS,
  withAcceptances,
  withoutAccepted,
  withoutRepairs,
  withRepairs,
  withRun,
} from '../../../src/plan/drift/memory.ts';

const finding = (key: string, more: Partial<DriftFinding> = {}): DriftFinding => ({
  key,
  kind: 'changed',
  area: 'kubernetes',
  object: 'Deployment a/b',
  valueDigest: 'now',
  ...more,
});
const report = (...findings: DriftFinding[]): DriftReport => ({
  environment: 'test',
  at: '2026-01-01T00:00:00Z',
  seconds: 1,
  findings,
  accepted: 2,
  ignored: 0,
  checked: { objects: 1, releases: 1, vault: 1, secrets: 1 },
  simulated: '',
});
const acceptance = (key: string, valueDigest = 'now'): Acceptance => ({
  key,
  valueDigest,
  what: key,
  reason: 'so',
  by: 'me@here',
  at: '2026-01-01T00:00:00Z',
});
const run = (runId: string): DriftRun => ({
  at: '2026-01-01T00:00:00Z',
  workflowId: 'w',
  runId,
  outcome: 'clean',
  findings: 0,
  repaired: 0,
  flapping: 0,
  seconds: 1,
});

describe('acceptances', () => {
  const CASES: [what: string, finding: DriftFinding, accepted: Acceptance[], remains: boolean][] = [
    ['nothing accepted', finding('a'), [], true],
    ['the accepted value', finding('a'), [acceptance('a')], false],
    ['another value of the same field', finding('a', { valueDigest: 'later' }), [acceptance('a')], true],
    ['another field with the same value', finding('b'), [acceptance('a')], true],
    ['what could not be seen', finding('a', { kind: 'not-observable' }), [acceptance('a')], true],
    ['a sealed Vault', finding('a', { kind: 'sealed' }), [acceptance('a')], true],
  ];
  for (const [what, one, accepted, remains] of CASES) {
    test(`${what}: ${remains ? 'drift' : 'none'}`, () => {
      const result = withoutAccepted(report(one), accepted);
      assert.equal(result.findings.length, remains ? 1 : 0);
      assert.equal(result.accepted, remains ? 2 : 3);
    });
  }

  test('no repair undoes what was accepted: other findings of that release are left to a person, those of others are not', () => {
    const of = (key: string, release: string, more: Partial<DriftFinding> = {}): DriftFinding =>
      finding(key, { service: release, release, repair: 'release', field: key, ...more });
    const { findings, accepted } = withoutAccepted(
      report(
        of('replicas', 'web'),
        of('image', 'web'),
        of('label', 'web', { kind: 'extra', repair: 'field' }),
        of('port', 'other'),
      ),
      [acceptance('replicas')],
    );
    assert.equal(accepted, 3);
    assert.deepEqual(
      findings.map(({ key, repair }) => [key, repair]),
      [
        ['image', undefined],
        ['label', 'field'],
        ['port', 'release'],
      ],
    );
    assert.match(
      findings[0]?.note ?? '',
      new RegExp(`undo what was accepted: Deployment a/b replicas \\(drift unaccept ${shortId('replicas')}`),
    );
    const changedAgain = withoutAccepted(report(of('replicas', 'web', { valueDigest: 'later' }), of('image', 'web')), [
      acceptance('replicas'),
    ]);
    assert.deepEqual(
      changedAgain.findings.map(({ repair }) => repair),
      ['release', 'release'],
    );
  });

  test('a new one replaces the old one of its key', () => {
    const state = withAcceptances(driftStateSchema.parse({ acceptances: [acceptance('a', 'old'), acceptance('b')] }), [
      acceptance('a', 'new'),
    ]);
    assert.deepEqual(
      state.acceptances.map(({ key, valueDigest }) => [key, valueDigest]),
      [
        ['b', 'now'],
        ['a', 'new'],
      ],
    );
  });
});

describe('loop breaker', () => {
  const rule = { flapLimit: 3, flapWindowSeconds: 100 };
  const empty = driftStateSchema.parse({});
  const after = (times: number[], now: number): string[] =>
    flapping(
      times.reduce((state, time) => withRepairs(state, ['a'], rule, time * 1000), empty),
      ['a', 'b'],
      rule,
      now * 1000,
    );
  const CASES: [times: number[], now: number, flaps: boolean][] = [
    [[], 0, false],
    [[10, 20], 30, false],
    [[10, 20, 30], 30, true],
    [[10, 20, 30], 109, true],
    // The first one lies outside the window now.
    [[10, 20, 30], 111, false],
    [[10, 20, 30, 115], 116, true],
    [[10, 120, 130], 131, false],
  ];
  for (const [times, now, flaps] of CASES) {
    test(`repaired at ${times.join(', ') || 'no time'}, asked at ${now}: ${flaps ? 'flaps' : 'may be repaired'}`, () =>
      assert.deepEqual(after(times, now), flaps ? ['a'] : []));
  }

  test('forgets what lies before the window, and keys that a person resets', () => {
    const state = withRepairs(withRepairs(empty, ['old', 'b'], rule, 0), ['a', 'b'], rule, 200_000);
    assert.deepEqual(Object.keys(state.repairs).sort(), ['a', 'b']);
    assert.deepEqual(Object.keys(withoutRepairs(state, ['b']).repairs), ['a']);
  });
});

describe('runs', () => {
  test('newest first, at most fifty, the same one once', () => {
    let state = driftStateSchema.parse({});
    for (let index = 0; index < 60; index += 1) state = withRun(state, run(`run-${index}`));
    assert.equal(state.runs.length, 50);
    assert.equal(state.runs[0]?.runId, 'run-59');
    assert.equal(withRun(state, run('run-59')).runs.filter(({ runId }) => runId === 'run-59').length, 1);
  });
});

describe('large reports', () => {
  test('are cut, what can be repaired comes first, and the rest is counted', () => {
    const many = report(
      ...Array.from({ length: MOST_FINDINGS + 10 }, (_, index) =>
        finding(`f${index}`, index >= MOST_FINDINGS ? { repair: 'field' } : {}),
      ),
    );
    const cut = capped(many);
    assert.equal(cut.findings.length, MOST_FINDINGS);
    assert.equal(cut.omitted, 10);
    assert.equal(cut.findings.filter(({ repair }) => repair !== undefined).length, 10);
    assert.equal(capped(report(finding('a'))).omitted, undefined);
  });
});

describe('short ids', () => {
  test('six letters and digits, stable, different for what differs a little', () => {
    assert.match(shortId('kubernetes/Deployment/a/b/spec.replicas'), /^[0-9a-z]{6}$/);
    assert.equal(shortId('x'), shortId('x'));
    const ids = new Set(
      Array.from({ length: 2000 }, (_, index) => shortId(`kubernetes/Deployment/ns/name-${index}/spec.replicas`)),
    );
    assert.ok(ids.size >= 1998, String(ids.size));
  });

  test('the key itself comes before a short id', () => {
    const among = [{ key: 'a/b' }, { key: shortId('a/b') }];
    assert.deepEqual(byKey(shortId('a/b'), among), [{ key: shortId('a/b') }]);
    assert.deepEqual(byKey(shortId('a/b').toUpperCase(), among.slice(0, 1)), [{ key: 'a/b' }]);
    assert.deepEqual(byKey('c', among), []);
  });
});
