/** What people decided, in words and in order, wherever it is shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationAct } from '../../../src/contract/operations/deploy.ts';
import { applyEvent, emptyProgress } from '../../../src/plan/progress.ts';
import { actsOf, actText, inOrder } from '../../../src/plan/steering/acts.ts';
import { emptySteering, intervene } from '../../../src/plan/steering/state.ts';

const at = '2026-01-01T10:00:00.000Z';
const by = 'ann';
const reason = 'why';

test('every act is a sentence', () => {
  const cases: [Omit<OperationAct, 'at' | 'by'>, string][] = [
    [{ act: 'request' }, 'ann asked for it, as the API server says'],
    [{ act: 'approve', on: 'release 0123' }, 'ann approved it (gate and plan: release 0123)'],
    [{ act: 'reject', on: 'release 0123', reason }, 'ann rejected it (gate and plan: release 0123): why'],
    [{ act: 'override-freeze', on: 'weekend', reason }, 'ann overrode the freeze (weekend): why'],
    [{ act: 'pause', reason }, 'ann paused it: why'],
    [{ act: 'pause', on: 'api', reason }, 'ann asked for a pause at api: why'],
    [{ act: 'pause', on: '4', reason }, 'ann asked for a pause at phase 4: why'],
    [{ act: 'resume' }, 'ann let it go on'],
    [{ act: 'retry', on: 'api' }, 'ann tried api again'],
    [{ act: 'skip', on: 'api', reason }, 'ann skipped api: why'],
    [{ act: 'extend', on: 'api, 60 s' }, 'ann extended the health deadline of api, 60 s'],
    [{ act: 'abandon', on: 'api, then stop', reason }, 'ann gave up api, then stop: why'],
    [{ act: 'of a later version', on: 'api' }, 'ann of a later version api'],
  ];
  for (const [act, text] of cases) assert.equal(actText({ ...act, by, at }), text);
});

test('while it runs: what the memo tells of gates and of steering, in order; at the end, what the result says', () => {
  const approve: OperationAct = { act: 'approve', by, at: '2026-01-01T10:00:02.000Z', on: 'release 0123' };
  const steering = intervene(
    intervene(emptySteering(), { verb: 'pause', by, reason }, '2026-01-01T10:00:03.000Z'),
    { verb: 'extend', by, seconds: 60 },
    '2026-01-01T10:00:01.000Z',
  );
  let view = applyEvent(emptyProgress(), { kind: 'waits', acts: [approve], at: 2 });
  view = applyEvent(view, { kind: 'steering', steering, at: 3 });
  // When the wait ends, no further act is added.
  view = applyEvent(view, { kind: 'waits', at: 4 });
  assert.deepEqual(
    actsOf(view).map(({ act, on }) => [act, on]),
    [
      ['extend', 'all services, 60 s'],
      ['approve', 'release 0123'],
      ['pause', undefined],
    ],
  );
  assert.deepEqual(actsOf(emptyProgress()), []);
  const late = { ...approve, at };
  assert.deepEqual(inOrder([approve, late]), [late, approve]);
});
