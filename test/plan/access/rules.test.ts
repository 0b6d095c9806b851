import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { grants, type PolicyRule, rights, rulesOf } from '../../../src/plan/access/rules.ts';

describe('rules', () => {
  test('say the same in as few lines as it takes, whatever the order', () => {
    const all = [
      ...rights(['get', 'list'], 'apps', ['deployments']),
      ...rights(['list', 'get'], 'apps', ['statefulsets']),
      ...rights(['patch'], 'apps', ['deployments'], ['a']),
      ...rights(['patch'], 'apps', ['deployments'], ['b']),
    ];
    const expected: PolicyRule[] = [
      { apiGroups: ['apps'], resources: ['deployments', 'statefulsets'], verbs: ['get', 'list'] },
      { apiGroups: ['apps'], resources: ['deployments'], verbs: ['patch'], resourceNames: ['a', 'b'] },
    ];
    assert.deepEqual(new Set(rulesOf(all)), new Set(expected));
    assert.deepEqual(rulesOf(all.toReversed()), rulesOf(all));
  });

  test('what is granted for all objects is not said by name again; what is said by name is not granted for all', () => {
    assert.deepEqual(rulesOf([...rights(['get'], '', ['secrets'], ['a']), ...rights(['get'], '', ['secrets'])]), [
      { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
    ]);
    const rules = rulesOf(rights(['get'], '', ['secrets'], ['a']));
    assert.equal(grants(rules, { verb: 'get', group: '', resource: 'secrets', name: 'a' }), true);
    assert.equal(grants(rules, { verb: 'get', group: '', resource: 'secrets', name: 'b' }), false);
    assert.equal(grants(rules, { verb: 'get', group: '', resource: 'secrets' }), false);
  });

  const cases: [string, Partial<PolicyRule>, boolean][] = [
    ['another verb', { verbs: ['list'] }, false],
    ['another group', { apiGroups: ['apps'] }, false],
    ['the kind without the subresource', { resources: ['pods'] }, false],
    ['the subresource of all kinds', { resources: ['*/log'] }, true],
    ['everything', { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }, true],
  ];
  for (const [name, change, expected] of cases) {
    test(`get pods/log is ${expected ? '' : 'not '}granted by ${name}`, () => {
      assert.equal(
        grants([{ apiGroups: [''], resources: ['pods/log'], verbs: ['get'], ...change }], {
          verb: 'get',
          group: '',
          resource: 'pods/log',
        }),
        expected,
      );
    });
  }
});
