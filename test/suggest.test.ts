import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName, suggestion } from '../src/suggest.ts';

const CASES: [string, string | undefined][] = [
  ['keyclok', 'keycloak'],
  ['KEYCLOAK', 'keycloak'],
  ['stagin', 'staging'],
  ['keycloak-inti', 'keycloak-init'],
  ['zzz', undefined],
  ['', undefined],
];

for (const [name, expected] of CASES) {
  test(`suggests ${expected ?? 'nothing'} for "${name}"`, () => {
    assert.equal(nearestName(name, ['keycloak', 'keycloak-init', 'staging']), expected);
  });
}

test('says it in words', () => {
  assert.equal(suggestion('stagin', ['staging']), ', did you mean "staging"?');
  assert.equal(suggestion('zzz', ['staging']), '');
});
