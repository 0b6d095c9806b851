/** Values that an environment says of a release: on top of all others, and never a secret. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tree } from '../../src/environment/files/merge.ts';
import { secretFindings } from '../../src/environment/fields/values.ts';
import { withEnvironmentValues } from '../../src/plan/inputs/environment-values.ts';
import { releaseInputs } from '../../src/plan/inputs/release-inputs.ts';
import { findRelease } from '../../src/plan/releases.ts';
import { readConfig } from '../../src/config.ts';
import { miniCatalog, miniEnvironment } from '../support/mini.ts';

describe('values that an environment says', () => {
  for (const [what, values, said, tags, expected] of [
    ['nothing said', { a: 1 }, undefined, {}, { a: 1 }],
    ['groups are merged', { a: { b: 1, c: 2 } }, { a: { c: 3 } }, {}, { a: { b: 1, c: 3 } }],
    ['lists are replaced', { a: [1, 2] }, { a: [3] }, {}, { a: [3] }],
    ['null takes a key out', { a: { b: 1, c: 2 } }, { a: { b: null } }, {}, { a: { c: 2 } }],
    ['a group in the place of a text', { a: 'x' }, { a: { b: 1 } }, {}, { a: { b: 1 } }],
    [
      'a tag from the command line wins',
      { image: { repository: 'r', tag: '3' } },
      { image: { repository: 's', tag: '2', digest: 'd' } },
      { api: '3' },
      { image: { repository: 's', tag: '3' } },
    ],
  ] as const)
    test(what, () => {
      const environment = { values: said === undefined ? {} : { api: said } };
      assert.deepEqual(withEnvironmentValues(values, environment, 'api', tags), expected);
    });

  test('change the digest of the release, and of no other', async () => {
    const [catalog, environment, config] = [await miniCatalog(), await miniEnvironment(), readConfig({})];
    const changed = { ...environment, values: { api: { replicaCount: 7 } } };
    const inputsOf = (name: string, of = environment): ReturnType<typeof releaseInputs> =>
      releaseInputs(catalog, of, findRelease(catalog, name), {}, config);
    const [before, after, other, otherAfter] = await Promise.all([
      inputsOf('api'),
      inputsOf('api', changed),
      inputsOf('web'),
      inputsOf('web', changed),
    ]);
    assert.notEqual(before.digest, after.digest);
    assert.equal((JSON.parse(after.values) as Tree)['replicaCount'], 7);
    assert.deepEqual(other, otherAfter);
  });

  for (const [what, values, paths] of [
    ['a password', { api: { auth: { password: 'x' } } }, ['values.api.auth.password']],
    ['a variable', { api: { env: [{ name: 'API_TOKEN', value: 'x' }] } }, ['values.api.env.0.value']],
    ['a password in a list', { api: { auth: { passwords: ['x'] } } }, ['values.api.auth.passwords.0']],
    ['names of Secrets in lists', { api: { imagePullSecrets: ['x'], extraSecrets: ['y'] } }, []],
    [
      'a Secret among objects',
      { api: { extra: [{ kind: 'Secret', stringData: { a: 'x' } }] } },
      ['values.api.extra.0.stringData'],
    ],
    ['the name of a Secret', { api: { auth: { existingSecret: 'x', passwordSecretKey: 'y' } } }, []],
    ['none', { api: { auth: { enabled: true, password: '', token: null } } }, []],
  ] as const)
    test(`${what} ${paths.length === 0 ? 'is taken' : 'is refused'}`, () => {
      const found = secretFindings(values);
      assert.deepEqual(
        found.map(({ path }) => path.join('.')),
        [...paths],
      );
    });
});
