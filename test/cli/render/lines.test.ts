import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jsonEvent, jsonResult } from '../../../src/cli/render/json.ts';
import { applyLive, emptyLive, type LiveEvent } from '../../../src/cli/render/live.ts';
import { plainLine } from '../../../src/cli/render/plain.ts';
import { ALL_GOOD, FAILED, FAILURE, PAST, PLANNED, progress, result, START } from '../sample.ts';

function plain(events: readonly LiveEvent[]): string[] {
  let view = emptyLive();
  return events.flatMap((event) => {
    view = applyLive(view, event);
    return plainLine(event, view, START + 20_000) ?? [];
  });
}

function json(events: readonly LiveEvent[]): unknown[] {
  let view = emptyLive();
  return events.flatMap((event) => {
    view = applyLive(view, event);
    const line = jsonEvent(event, view, START + 1000);
    return line === undefined ? [] : [JSON.parse(JSON.stringify(line)) as unknown];
  });
}

test('plain: one line per change, with the time since the beginning', () => {
  assert.deepEqual(plain(FAILED), [
    ' 0:00  planning',
    ' 0:01  plan a1b2c3d4e5f60718: 5 services, 5 to do, critical path about 30 s',
    ' 0:01  gitops applying: nothing there yet',
    ' 0:01  vault applying: nothing there yet',
    ' 0:02  vault starting: pods, then its health check',
    ' 0:09  vault healthy after 8.0 s',
    ' 0:09  identity applying',
    ' 0:10  identity starting: pods, then its health check',
    ' 0:12  gitops healthy after 11 s',
    ' 5:10  identity failed after 5 min 1 s: identity in identity-ns was not healthy within 300 s: pod identity-0, container identity: CrashLoopBackOff',
    ' 5:10  identity-init skipped: identity, which it depends on, did not become healthy',
    ' 5:10  dashboard skipped: identity-init, which it depends on, did not become healthy',
  ]);
});

test('what earlier runs took, and what takes longer', () => {
  const events: LiveEvent[] = [
    ...PLANNED,
    { kind: 'past', runs: PAST },
    { kind: 'slow', slow: { service: 'vault', seconds: 19, longest: 9, runs: 2 } },
    progress(19, 'vault', 'starting'),
  ];
  assert.deepEqual(plain(events).slice(2), [
    ' 0:20  about 34 s left, between 29 s and 38 s, as 2 earlier runs took',
    ' 0:20  vault takes longer than ever before: 0:19, the longest of 2 runs was 0:09',
    ' 0:19  vault starting',
  ]);
  const remaining = { seconds: 33.5, low: 29, high: 38, runs: 2 };
  assert.deepEqual(json(events).slice(2), [
    { type: 'remaining', remaining },
    { type: 'slow', name: 'vault', seconds: 19, longest: 9, runs: 2 },
    { type: 'service', at: '2026-01-05T12:00:19.000Z', name: 'vault', phase: 1, state: 'starting', remaining },
  ]);
  assert.deepEqual(json([...PLANNED, { kind: 'past', runs: [] }])[2], { type: 'remaining', remaining: null });
});

test('checks as they run and end', () => {
  const at = START + 12_000;
  const events: LiveEvent[] = [
    ...PLANNED,
    { kind: 'check', check: { service: 'vault', name: 'page', state: 'running' }, at },
    {
      kind: 'check',
      check: { service: 'vault', name: 'page', state: 'failed', text: 'no\npage' },
      at: at + 1500,
    },
  ];
  assert.deepEqual(plain(events).slice(2), [
    ' 0:12  check vault/page running',
    ' 0:13  check vault/page failed after 1.5 s: no page',
  ]);
  assert.deepEqual(json(events).slice(2), [
    { type: 'check', at: '2026-01-05T12:00:12.000Z', service: 'vault', name: 'page', state: 'running' },
    {
      type: 'check',
      at: '2026-01-05T12:00:13.500Z',
      service: 'vault',
      name: 'page',
      state: 'failed',
      seconds: 1.5,
      text: 'no\npage',
    },
  ]);
});

test('what a pod writes: behind its name, and without moving the cursor', () => {
  const line = { pod: 'api-1', container: 'main', at: '2026-01-05T12:00:01.5Z', text: 'ready\u001b[2J \u001b[32mok' };
  const events: LiveEvent[] = [...PLANNED, { kind: 'log', service: 'api', line }];
  assert.deepEqual(plain(events).slice(2), ['       api-1/main | ready \u001b[32mok']);
  assert.deepEqual(json(events).slice(2), [{ type: 'log', service: 'api', ...line }]);
});

test('plain: what is waited for is no change, what is tried again is', () => {
  const retry: LiveEvent = {
    kind: 'retry',
    id: '4/7',
    activity: 'applyRelease',
    attempt: 2,
    message: 'another\noperation',
  };
  assert.deepEqual(
    plain([
      ...PLANNED,
      progress(2, 'vault', 'waiting'),
      retry,
      { kind: 'retry-over', id: '4/7' },
      {
        kind: 'cause',
        id: '4/9/cause',
        release: 'identity',
        message: 'StatefulSet identity: FailedCreate\n(exceeded quota)',
      },
      { kind: 'cause-over', id: '4/9/cause' },
      { kind: 'finished', result: result('succeeded', ALL_GOOD) },
    ]).slice(2),
    [
      ' 0:20  try 2 of applyRelease: another operation',
      ' 0:20  identity waits: StatefulSet identity: FailedCreate (exceeded quota)',
      ' 0:32  succeeded',
    ],
  );
});

describe('JSON', () => {
  test('the plan names what will be done to each service', () => {
    const [planning, plan] = json(PLANNED) as Record<string, unknown>[];
    assert.deepEqual(planning, { type: 'planning', at: '2026-01-05T12:00:00.000Z' });
    assert.equal(plan?.['type'], 'plan');
    assert.equal((plan['services'] as unknown[]).length, 5);
    assert.deepEqual((plan['services'] as unknown[])[2], {
      name: 'identity',
      phase: 4,
      action: 'install',
      reason: 'nothing there yet',
      dependsOn: ['vault'],
    });
  });
  test('a change of state is one object', () => {
    assert.deepEqual(json(FAILED).slice(-3, -2), [
      {
        type: 'service',
        at: '2026-01-05T12:05:10.000Z',
        name: 'identity',
        phase: 4,
        state: 'failed',
        seconds: 301,
        changed: true,
        failure: FAILURE,
      },
    ]);
  });
  test('the result has its fixed shape', () => {
    assert.deepEqual(jsonResult(result('succeeded', ALL_GOOD.slice(0, 1))), {
      type: 'result',
      operation: 'deploy',
      environment: 'sandbox',
      workflowId: 'deploy/sandbox/1a2b3c4d',
      runId: 'run-1',
      outcome: 'succeeded',
      seconds: 32.1,
      criticalPathSeconds: 30,
      services: [{ name: 'gitops', phase: 1, state: 'healthy', seconds: 11, changed: true }],
    });
  });
});
