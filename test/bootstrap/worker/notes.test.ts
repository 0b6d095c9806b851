/** A worker that runs without what a log-in plug-in asks for is named with it, as long as it cannot be replaced. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerNotes } from '../../../bootstrap/worker/notes.ts';

const NOW = { variables: ['AWS_ACCESS_KEY_ID', 'CI_TOKEN', 'PATH'] };

test('names what this shell has and the worker lacks, never a value', () => {
  const [lacking, old, ...more] = workerNotes({ variables: ['CI_TOKEN', 'PATH'] }, NOW, 1);
  assert.match(lacking ?? '', /started without AWS_ACCESS_KEY_ID, which this shell has.*cancel, then deploy again/);
  assert.match(old ?? '', /The next `up` without one replaces it/);
  assert.deepEqual(more, []);
});

test('one that has all of them, or needs none, only runs older settings', () => {
  const cases: [running: { variables: string[] }, spec: { variables?: string[] }][] = [
    [NOW, NOW],
    [{ variables: [...NOW.variables, 'MORE'] }, NOW],
    [NOW, {}],
  ];
  for (const [running, spec] of cases)
    assert.deepEqual(
      workerNotes(running, spec, 1).map((text) => /without one replaces it/.test(text)),
      [true],
    );
});

test('nothing is said of one that is replaced at once', () => {
  assert.deepEqual(workerNotes({ variables: [] }, NOW, 0), []);
});
