import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readInput, selectionOf } from '../../../src/plan/nexus/input.ts';
import { fakeCatalog } from '../../support/fakes/catalog.ts';

const catalog = fakeCatalog();
const selected = (input: object): unknown => selectionOf(catalog, readInput('deploy', input));

describe('the input of a Nexus operation', () => {
  test('may be none at all', () => {
    assert.deepEqual(readInput('status', undefined), {});
    assert.deepEqual(readInput('verify', undefined), { drift: false });
    assert.deepEqual(readInput('deploy', undefined), { images: {}, ifRunning: 'queue' });
  });

  test('is a selection where it says one', () => {
    assert.equal(selected({ images: { cache: '7.5' }, only: [], withDependencies: false }), undefined);
    assert.deepEqual(selected({ only: ['cache'], withDependencies: true }), {
      only: ['cache'],
      withDependencies: true,
    });
    assert.deepEqual(selected({ phases: [2], skip: ['vault'] }), { phases: [2], skip: ['vault'] });
  });

  for (const [input, words] of [
    [{ only: ['cach'] }, /did you mean "cache"/],
    [{ images: { nothing: '1' } }, /images: there is no service "nothing"/],
    [{ images: { cache: 'registry/x:1' } }, /images\.cache: has to be a tag or a digest/],
    [{ rerun: ['nothing'] }, /rerun: there is no release/],
    [{ phases: [99] }, /phase 99/],
    [{ skip: ['vault', 'cache', 'api'] }, /Nothing is left/],
    [{ planDigest: 'latest' }, /planDigest: has to be 16/],
    [{ timeoutSeconds: -1 }, /timeoutSeconds/],
    [{ overrideFreeze: 'x' }, /overrideFreeze/],
    ['deploy everything', /input of deploy cannot be used/],
  ] as const)
    test(`is refused: ${JSON.stringify(input)}`, () => {
      assert.throws(() => selected(input as object), words);
    });
});
