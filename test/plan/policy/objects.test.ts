import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PolicySubject } from '../../../src/environment/fields/formats/expressions.ts';
import type { ObjectChange, ReleaseChange } from '../../../src/plan/diff/types.ts';
import { factsOf } from '../../../src/plan/policy/facts.ts';
import { MOST_FIELDS, objectFacts, rulesSeeObjects } from '../../../src/plan/policy/objects.ts';
import { type PolicyRule, verdictsOf } from '../../../src/plan/policy/verdicts.ts';
import { verdictLines } from '../../../src/plan/policy/words.ts';
import { planOf } from '../../support/plans.ts';

const plan = planOf({ web: { phase: 1, action: 'upgrade' } });
const rule = (text: string, subject: PolicySubject = 'plan', more: Partial<PolicyRule> = {}): PolicyRule => ({
  ...{ name: 'r', for: subject, rule: text, effect: 'deny', operations: ['deploy', 'destroy'] },
  ...more,
});
const release = (objects: ObjectChange[], note?: string): { service: string; release: ReleaseChange } => ({
  service: 'web',
  release: {
    ...{ name: 'web', namespace: 'apps', kind: 'release', action: 'upgrade', reason: '', digest: '', objects },
    ...(note === undefined ? {} : { note }),
  },
});
const claim: ObjectChange = { action: 'delete', kind: 'ClusterRole', name: 'c', fields: [] };
const config = (count: number): ObjectChange => ({
  ...{ action: 'create', kind: 'ConfigMap', namespace: 'apps', name: 'many', fields: [] },
  leaves: Array.from({ length: count }, (_, index) => ({ path: `data.k${index}`, to: 'v' })),
});
const lines = (one: PolicyRule, changes?: ReturnType<typeof release>[], operation: 'deploy' | 'destroy' = 'deploy') =>
  verdictsOf(
    [one],
    operation,
    factsOf(plan, { stateful: new Set(), ...(changes ? { changes } : {}) }),
    new Date(),
  ).flatMap(verdictLines);

describe('rules about objects', () => {
  test('all objects at once', () => {
    const most = rule('plan.objects.filter(o, o.action == "delete").size() < 1');
    assert.deepEqual(lines(most, [release([claim])]), ['r: plan']);
    assert.deepEqual(lines(most, [release([])]), []);
  });
  test('what belongs to the cluster has no namespace', () => {
    assert.deepEqual(lines(rule('object.namespace != ""', 'object'), [release([claim])]), [
      'r: ClusterRole c of web (object.namespace = "")',
    ]);
  });
  test('the object of a field', () => {
    const one = rule('object.kind != "ConfigMap" || field.path != "data.k1"', 'field');
    assert.deepEqual(lines(one, [release([config(3)])]), ['r: ConfigMap apps/many of web (data.k1: "" → "v")']);
  });
  test('the first twenty are named, the others counted', () => {
    const said = lines(rule('false', 'field'), [release([config(23)])]);
    assert.equal(said.length, 21);
    assert.equal(said.at(-1), 'r: and 3 more');
  });
  test('long values are cut', () => {
    const long: ObjectChange = { ...config(0), leaves: [{ path: 'data.k', to: 'x'.repeat(1000) }] };
    assert.ok((lines(rule('false', 'field'), [release([long])])[0] ?? '').length < 300);
  });
  test('what nobody knows breaks them', () => {
    const unknown = [release([], 'its objects are not listed: Helm is not installed here yet')];
    assert.deepEqual(lines(rule('true', 'field'), unknown), [
      'r: it could not be evaluated (objects are not known: web: its objects are not listed: Helm is not installed here yet)',
    ]);
    assert.match(lines(rule('size(plan["objects"]) >= 0'))[0] ?? '', /objects are not known: nobody has looked/);
    assert.deepEqual(lines(rule('true'), unknown), [], 'others do not need them');
  });
  test('asked of deployments alone', () => {
    assert.deepEqual(lines(rule('false', 'object'), [release([claim])], 'destroy'), []);
    assert.equal(rulesSeeObjects([rule('true', 'field')], 'destroy'), false);
  });
  test('objects are compared only where a rule asks for them', () => {
    assert.equal(rulesSeeObjects([rule('plan.services.size() < 3'), rule('true', 'image')], 'deploy'), false);
    assert.equal(rulesSeeObjects([rule('plan.objects.size() < 3')], 'deploy'), true);
    assert.equal(rulesSeeObjects([rule('true', 'object', { operations: ['destroy'] })], 'deploy'), false);
  });
  test('there is a limit to how many fields are asked', () => {
    const refused = objectFacts([release([config(MOST_FIELDS + 1)])]);
    assert.ok(typeof refused === 'string' && refused.includes('changes 100001 fields'));
  });
});
