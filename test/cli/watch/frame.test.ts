/** Screens of the full-screen view as lines. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OperationSummary } from '../../../src/clients/temporal/overview.ts';
import { frameOf } from '../../../src/cli/watch/frame.ts';
import { type Place, START, type ViewState, type WatchData } from '../../../src/cli/watch/model.ts';
import { FAILED, fold, HALFWAY, PAST, START as BEGAN } from '../sample.ts';

const NOW = BEGAN + 12_000;
const run = { workflowId: 'deploy/staging/1a2b3c4d', runId: '01a22d04-432a-7bd6-898f-439613f01b98' };
const running: OperationSummary = {
  ...run,
  environment: 'staging',
  operation: 'deploy',
  state: 'running',
  startedAt: BEGAN,
  requestedBy: 'kim@host',
};
const OPERATIONS: OperationSummary[] = [
  running,
  { ...running, environment: 'prod', runId: 'r9', operation: 'rollback', state: 'failed', endedAt: BEGAN + 300_000 },
  { ...running, environment: 'lab', runId: 'r8', state: 'terminated', endedAt: BEGAN + 3000 },
];
const DATA: WatchData = { operations: OPERATIONS, view: fold([...HALFWAY, { kind: 'past', runs: PAST }]), texts: {} };
const stateAt = (place: Place, more: Partial<ViewState> = {}): ViewState => ({ ...START, places: [place], ...more });
const service = (tab: 'explain' | 'logs' | 'events'): Place => ({
  screen: 'service',
  environment: 'staging',
  run,
  service: 'identity',
  tab,
});

function draw(state: ViewState, data: WatchData = DATA, { columns = 80, rows = 24 } = {}): string[] {
  const lines = frameOf(state, data, { columns, rows, now: NOW }).map(({ text }) => text.trimEnd());
  // Empty space below the list is left out.
  const last = lines.findLastIndex((text, index) => index < lines.length - 1 && text !== '');
  return [...lines.slice(0, last + 1), lines.at(-1) ?? ''];
}

const RULE = '─'.repeat(79);
const LIST_KEYS = '↑↓ choose   enter opens   esc back   / filter   q quits';

describe('screens at 80 columns', () => {
  test('environments: those at work first', () =>
    assert.deepEqual(draw(START), [
      'ananta watch › environments',
      '3 environments, 1 at work',
      RULE,
      '› ▸ staging                  deploy     running            0:12  kim@host',
      '  ✘ prod                     rollback   failed            5 min  kim@host',
      '  ✘ lab                      deploy     terminated        3.0 s  kim@host',
      LIST_KEYS,
    ]));

  test('an operation: its services by phases, and the time that is left', () =>
    assert.deepEqual(draw(stateAt({ screen: 'operation', environment: 'staging', run })), [
      'ananta watch › staging › 13f01b98',
      'deploy: 1/5 done, 2 at work, 2 waiting   0:12, 0:22 left (0:18–0:26)',
      RULE,
      '   1 Core Infrastructure  1/2',
      '›   ▸ gitops                   applying      0:11  nothing there yet',
      '    ✔ vault                    healthy       0:08',
      '   4 Authentication  0/2',
      '    ▸ identity                 starting      0:03  pods, then its health check',
      '    · identity-init            waiting             for identity',
      '  14 Frontend Applications  0/1',
      '    · dashboard                waiting             for identity-init, gitops',
      LIST_KEYS,
    ]));

  test('one that failed says why, service by service', () => {
    const failed = { ...DATA, view: fold(FAILED) };
    const lines = draw(stateAt({ screen: 'operation', environment: 'staging', run }), failed);
    assert.match(lines.join('\n'), /✘ identity +failed +5:01 {2}identity in identity-ns was/);
    assert.match(lines[1] ?? '', /5\/5 done, 1 failed/);
  });

  test('a service: tabs, and a text that scrolls; a log shows its end', () => {
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`);
    const data = { ...DATA, texts: { explain: lines, logs: lines } };
    const explained = draw(stateAt(service('explain'), { scroll: 3 }), data);
    assert.deepEqual(explained.slice(0, 4), [
      'ananta watch › staging › 13f01b98 › identity',
      '[explain]  logs   events',
      RULE,
      'line 3',
    ]);
    assert.equal(draw(stateAt(service('logs')), data).at(-2), 'line 39');
    assert.equal(draw(stateAt(service('logs'), { scroll: 5 }), data).at(-2), 'line 34');
    assert.deepEqual(draw(stateAt(service('logs'), { filter: '39' }), data).slice(3, -1), ['line 39']);
  });

  test('what is not known yet, what is not there, and an engine that is away', () => {
    assert.equal(draw(START, { texts: {} })[1], 'Asks the engine …');
    assert.equal(draw(stateAt(service('events')))[3], '  Reads …');
    assert.equal(draw(START, { ...DATA, operations: [] })[3], '  There is nothing yet.');
    assert.equal(draw({ ...START, filter: 'zz' })[3], '  Nothing holds "zz".');
    assert.equal(draw(START, { ...DATA, problem: 'The engine does not answer' })[1], 'The engine does not answer');
    assert.match(draw({ ...START, filter: 'pro', typing: true }).at(-1) ?? '', /^\/pro█/);
  });

  test('a log of others does not move the cursor', () => {
    const data = { ...DATA, texts: { logs: ['a\u001b[2Jb\u0007c'] } };
    assert.equal(draw(stateAt(service('logs')), data)[3], 'a [2Jb c');
  });
});

test('whatever the size, nothing wraps, nothing scrolls, and what is chosen is in sight', () => {
  const place: Place = { screen: 'operation', environment: 'staging', run };
  for (let columns = 20; columns <= 200; columns += 30)
    for (let rows = 2; rows <= 40; rows += 2)
      for (const key of ['gitops', 'identity-init', 'dashboard']) {
        const chosen = { [`staging/${run.runId}`]: key };
        const lines = frameOf(stateAt(place, { chosen }), DATA, { columns, rows, now: NOW });
        assert.equal(lines.length, Math.max(1, Math.min(rows - 1, Math.max(5, rows - 1))), `${rows} rows`);
        for (const { text } of lines) assert.ok(text.length < columns, `${text.length} in ${columns}: ${text}`);
        if (rows >= 6) assert.equal(lines.filter(({ chosen: is }) => is).length, 1, `${key} in ${rows} rows`);
      }
});

test('on a narrow terminal the keys are named in short, the way out first', () => {
  for (const columns of [25, 40]) assert.match(draw(START, DATA, { columns, rows: 12 }).at(-1) ?? '', /^q quits  esc/);
  assert.match(draw(START).at(-1) ?? '', /↑↓ choose   enter opens   esc back   \/ filter   q quits/);
});
