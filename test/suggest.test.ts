import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName, suggestion } from '../src/suggest.ts';

const CASES: [string, string | undefined][] = [
  ['identty', 'identity'],
  ['IDENTITY', 'identity'],
  ['stagin', 'staging'],
  ['identity-inti', 'identity-init'],
  ['zzz', undefined],
  ['', undefined],
];

for (const [name, expected] of CASES) {
  test(`suggests ${expected ?? 'nothing'} for "${name}"`, () => {
    assert.equal(nearestName(name, ['identity', 'identity-init', 'staging']), expected);
  });
}

test('says it in words', () => {
  assert.equal(suggestion('stagin', ['staging']), ', did you mean "staging"?');
  assert.equal(suggestion('zzz', ['staging']), '');
});
