/** Keys of the full-screen view: from place to place, through lists and texts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OperationSummary } from '../../../src/clients/temporal/overview.ts';
import { type Place, placeOf, type Row, START, type ViewState, type WatchData } from '../../../src/cli/watch/model.ts';
import { chosenRow, type Key, navigate, type Seen } from '../../../src/cli/watch/navigate.ts';
import { rowsOf } from '../../../src/cli/watch/rows.ts';
import { fold, HALFWAY, START as BEGAN } from '../sample.ts';

const operation = (environment: string, runId: string, state = 'succeeded'): OperationSummary => ({
  environment,
  workflowId: `deploy/${environment}/1a2b3c4d`,
  runId,
  operation: 'deploy',
  state,
  startedAt: BEGAN,
  ...(state === 'running' ? {} : { endedAt: BEGAN + 5000 }),
  requestedBy: 'kim@host',
});
const DATA: WatchData = {
  operations: [operation('staging', 'run-2', 'running'), operation('staging', 'run-1'), operation('prod', 'run-9')],
  view: fold(HALFWAY),
  texts: { explain: Array.from({ length: 30 }, (_, index) => `line ${index}`) },
};

const press = (name: Exclude<Key, { type: string }>['press']): Key => ({ press: name });
const type = (text: string): Key[] => Array.from(text).map((one) => ({ type: one }));

/** @returns the state after these keys; undefined when one of them ends the view */
function after(keys: readonly Key[], from: ViewState = START): ViewState | undefined {
  return keys.reduce<ViewState | undefined>((state, key) => {
    if (!state) return undefined;
    const seen: Seen = { rows: rowsOf(state, DATA, BEGAN), lines: 30, height: 10, operations: DATA.operations ?? [] };
    return navigate(state, key, seen);
  }, from);
}
const at = (keys: readonly Key[]): Place => placeOf(after(keys) ?? START);
const rowAt = (keys: readonly Key[]): Row | undefined => {
  const state = after(keys) ?? START;
  return chosenRow(state, rowsOf(state, DATA, BEGAN));
};
const enter = press('enter');
const down = press('down');
const SERVICE = [enter, enter, enter];

describe('the way in and out', () => {
  test('environments, operations, services, one of them, and back', () => {
    assert.deepEqual(at([enter]), { screen: 'operations', environment: 'staging' });
    const run = DATA.operations?.[0];
    assert.deepEqual(at([enter, enter]), { screen: 'operation', environment: 'staging', run });
    assert.deepEqual(at(SERVICE), {
      screen: 'service',
      environment: 'staging',
      run,
      service: 'gitops',
      tab: 'explain',
    });
    assert.deepEqual(at([...SERVICE, enter]), at(SERVICE));
    assert.deepEqual(at([...SERVICE, press('back')]), at([enter, enter]));
    assert.deepEqual(at([...SERVICE, ...Array.from({ length: 9 }, () => press('back'))]), { screen: 'environments' });
  });

  test('the letters of vi, and q', () => {
    assert.deepEqual(at(type('jl')), { screen: 'operations', environment: 'prod' });
    assert.deepEqual(at(type('lh')), { screen: 'environments' });
    assert.equal(after(type('q')), undefined);
    assert.deepEqual(after(type('x')), START);
  });

  test('tabs of a service turn round', () => {
    const tab = (...keys: Key[]): string | undefined => {
      const place = at([...SERVICE, ...keys]);
      return place.screen === 'service' ? place.tab : undefined;
    };
    assert.deepEqual(
      [
        tab(press('next')),
        tab(press('next'), press('next')),
        tab(press('previous')),
        tab(press('previous'), press('next')),
      ],
      ['logs', 'events', 'events', 'explain'],
    );
  });
});

describe('choosing', () => {
  test('headings are passed over; it stops at both ends', () => {
    const names = [0, 1, 2, 3, 4, 5, 9].map(
      (times) => rowAt([enter, enter, ...Array.from({ length: times }, () => down)])?.key,
    );
    assert.deepEqual(names, ['gitops', 'vault', 'identity', 'identity-init', 'dashboard', 'dashboard', 'dashboard']);
    assert.equal(rowAt([enter, enter, press('end'), press('up')])?.key, 'identity-init');
    assert.equal(rowAt([enter, enter, press('pageDown'), press('home')])?.key, 'gitops');
  });

  test('what was chosen is chosen again when one comes back, and when the list moves', () => {
    assert.equal(rowAt([down, enter, press('back')])?.key, 'prod');
    const state = after([down]) ?? START;
    const moved = { ...DATA, operations: [operation('new', 'run-10'), ...(DATA.operations ?? [])] };
    assert.equal(chosenRow(state, rowsOf(state, moved, BEGAN))?.key, 'prod');
    const gone = { ...DATA, operations: [operation('new', 'run-10')] };
    assert.equal(chosenRow(state, rowsOf(state, gone, BEGAN))?.key, 'new');
  });
});

describe('the filter', () => {
  test('takes every key until enter or esc; headings stay with what is below them', () => {
    const typed = after([enter, enter, ...type('/dash')]) ?? START;
    assert.deepEqual(
      rowsOf(typed, DATA, BEGAN).map(({ key, text }) => key ?? text),
      ['14 Frontend Applications  0/1', 'dashboard'],
    );
    assert.equal(after([...type('/q')])?.filter, 'q');
    assert.equal(after([...type('/abc'), press('erase')])?.filter, 'ab');
    assert.deepEqual(after([...type('/abc'), enter])?.typing, false);
    assert.deepEqual(after([...type('/abc'), press('back')]), START);
    assert.equal(at([...type('/prod'), enter, enter]).screen, 'operations');
  });

  test('esc drops it before it goes back, and the next place begins without it', () => {
    const kept = [enter, ...type('/run'), enter];
    assert.deepEqual(at([...kept, press('back')]), { screen: 'operations', environment: 'staging' });
    assert.deepEqual(at([...kept, press('back'), press('back')]), { screen: 'environments' });
    assert.equal(after([...type('/prod'), enter, enter])?.filter, '');
  });
});

describe('scrolling', () => {
  const scroll = (...keys: Key[]): number | undefined => after([...SERVICE, ...keys])?.scroll;
  test('a text from its beginning, never past its end', () => {
    assert.deepEqual([scroll(down), scroll(press('up')), scroll(press('pageDown'))], [1, 0, 9]);
    assert.deepEqual([scroll(press('end')), scroll(press('end'), press('home'))], [20, 0]);
  });
  test('a log from its end', () => {
    const log = press('next');
    assert.deepEqual([scroll(log, press('up')), scroll(log, down), scroll(log, press('home'))], [1, 0, 20]);
  });
});
