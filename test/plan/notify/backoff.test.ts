import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPassing, MOST_ATTEMPTS, nextAttempt, retryAfterOf } from '../../../src/plan/notify/backoff.ts';
import { isWanted } from '../../../src/plan/notify/events.ts';
import { notifyReferences, notifyTargets, wantedEvents } from '../../../src/plan/notify/targets.ts';
import { notifySchema } from '../../../src/environment/fields/notify.ts';

test('seven attempts within 25 minutes, none of what stays as it is', () => {
  const waits = Array.from({ length: MOST_ATTEMPTS }, (_, at) => nextAttempt(at + 1, {}));
  assert.deepEqual(waits, [5, 15, 45, 135, 405, 900, undefined]);
  assert.equal(nextAttempt(1, { permanent: true }), undefined);
});

test('a receiver that names a time gets it, up to an hour, and never less than ours', () => {
  assert.equal(nextAttempt(1, { retryAfterSeconds: 60 }), 60);
  assert.equal(nextAttempt(4, { retryAfterSeconds: 60 }), 135);
  assert.equal(nextAttempt(1, { retryAfterSeconds: 86_400 }), 3600);
  assert.equal(nextAttempt(MOST_ATTEMPTS, { retryAfterSeconds: 1 }), undefined);
});

const NOW = Date.parse('2026-11-30T12:00:00Z');
const HEADERS: [header: string | null, seconds: number | undefined][] = [
  [null, undefined],
  ['', undefined],
  ['0', 0],
  [' 120 ', 120],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['Mon, 30 Nov 2026 12:00:30 GMT', 30],
  ['Mon, 30 Nov 2026 11:00:00 GMT', 0],
  ['99999999999999999999', undefined],
];
for (const [header, seconds] of HEADERS)
  test(`Retry-After: ${header ?? 'absent'}`, () => {
    assert.equal(retryAfterOf(header, NOW), seconds);
  });

test('which answers may be others the next time', () => {
  const passing = [408, 425, 429, 500, 502, 503, 504];
  for (const status of [301, 400, 401, 403, 404, 410, 413, ...passing])
    assert.equal(isPassing(status), passing.includes(status), String(status));
});

test('whoever wants every end hears of failures, whoever wants drift of repairs', () => {
  assert.equal(isWanted('failure', ['end']), true);
  assert.equal(isWanted('end', ['failure']), false);
  assert.equal(isWanted('repair', ['drift']), true);
  assert.equal(isWanted('drift', ['repair']), false);
  assert.equal(isWanted('start', ['end']), false);
});

test('targets: by name, with what was there before them', () => {
  const settings = notifySchema.parse({
    command: ['tell'],
    webhook: 'https://chat.example/hook',
    headersFile: '/etc/headers',
    timeoutSeconds: 3600,
    targets: {
      ops: { url: { vault: { path: 'ops/chat', key: 'url' } }, format: 'slack', events: ['start', 'end'] },
      pager: { command: ['page', '--now'], events: ['failure'] },
      quiet: { url: 'https://quiet.example', events: [] },
    },
  });
  assert.deepEqual(
    notifyTargets(settings).map(({ name, events, timeoutSeconds }) => [name, events.length, timeoutSeconds]),
    [
      ['command', 4, 100],
      ['webhook', 4, 100],
      ['ops', 2, 100],
      ['pager', 1, 100],
      ['quiet', 0, 100],
    ],
  );
  assert.deepEqual(wantedEvents(settings), ['drift', 'end', 'failure', 'gate', 'question', 'start']);
  assert.equal(wantedEvents(notifySchema.parse({})), undefined);
  assert.deepEqual(
    notifyReferences(settings).map(({ field }) => field),
    ['notify.headersFile', 'notify.targets.ops.url'],
  );
});
