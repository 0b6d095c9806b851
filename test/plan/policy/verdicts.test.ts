import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OperationPlan } from '../../../src/contract/operations/plan.ts';
import { completed } from '../../../src/plan/steps/complete.ts';
import { expressionProblem, type PolicySubject } from '../../../src/environment/fields/formats/expressions.ts';
import { factsOf } from '../../../src/plan/policy/facts.ts';
import { type PolicyRule, verdictsOf } from '../../../src/plan/policy/verdicts.ts';
import { verdictLines, verdictNotes } from '../../../src/plan/policy/words.ts';
import { planOf } from '../../support/plans.ts';

const plan: OperationPlan = completed(
  planOf({
    database: { phase: 2, action: 'remove' },
    web: { phase: 3, action: 'upgrade' },
    api: { phase: 3, action: 'install' },
    auth: { phase: 4, action: 'unchanged' },
  }),
  { verb: 'deploy' },
);
const values = new Map([
  ['web', { image: { registry: 'docker.io', repository: 'library/web', tag: '7.4' } }],
  [
    'api',
    {
      image: { repository: 'api', tag: `1@sha256:${'a'.repeat(64)}` },
      metrics: { enabled: false, image: { repository: 'off' } },
    },
  ],
  ['auth', { image: { repository: 'auth', tag: 'latest' } }],
]);
const facts = factsOf(plan, { stateful: new Set(['database']), values });
/** A Friday in Berlin, and a Thursday still in New York. */
const NIGHT = new Date('2026-12-03T23:30:00Z');
const rule = (text: string, subject: PolicySubject = 'plan', more: Partial<PolicyRule> = {}): PolicyRule => ({
  name: 'r',
  for: subject,
  rule: text,
  effect: 'deny',
  operations: ['deploy'],
  ...more,
});
const lines = (one: PolicyRule, now = NIGHT): string[] => verdictsOf([one], 'deploy', facts, now).flatMap(verdictLines);

describe('rules over a plan', () => {
  const noRemoval = '!(service.action == "remove" && service.stateful && now.getDayOfWeek("Europe/Berlin") == 5)';
  const table: [what: string, rule: PolicyRule, broken: string[]][] = [
    [
      'no removal of a stateful service on Fridays',
      rule(noRemoval, 'service'),
      ['r: service database (service.action = "remove", service.stateful = true)'],
    ],
    ['which is another day elsewhere', rule(noRemoval.replace('Europe/Berlin', 'America/New_York'), 'service'), []],
    [
      'images by digest only',
      rule('image.digest != ""', 'image', { message: 'pin it' }),
      ['r: image docker.io/library/web:7.4 of web (image.digest = ""): pin it'],
    ],
    ['of what is not changed nothing is asked', rule('image.repository != "auth"', 'image'), []],
    ['a part that is switched off has no image', rule('image.repository != "off"', 'image'), []],
    ['at most so many services at once', rule('plan.services.size() <= 2'), ['r: plan']],
    ['which is kept', rule('size(plan.services) <= 3'), []],
    [
      'no step of a kind',
      rule('step.kind != "uninstall"', 'step'),
      ['r: step uninstall/test/database (step.kind = "uninstall")'],
    ],
    ['fields of fields', rule('service.images.all(i, i.digest != "")', 'service'), ['r: service web']],
    ['phases are whole numbers', rule('service.phase < 4 && service.phase != 9', 'service'), []],
    [
      'what is not there breaks it',
      rule('service.missing == 1', 'service'),
      ['r: it could not be evaluated (No such key: missing)'],
    ],
    [
      'what is no answer breaks it',
      rule('plan.operation'),
      ['r: it could not be evaluated (it says "deploy", which is neither true nor false)'],
    ],
    ['rules of other operations are not asked', rule('false', 'plan', { operations: ['destroy'] }), []],
  ];
  for (const [what, one, broken] of table)
    test(what, () => {
      assert.deepEqual(lines(one), broken);
    });

  test('verdicts are told in a plan, kept or broken', () => {
    const rules = [rule('true', 'plan', { name: 'kept' }), rule('false', 'plan', { name: 'asks', effect: 'ask' })];
    const verdicts = verdictsOf(rules, 'deploy', facts, NIGHT);
    assert.deepEqual(verdictNotes(verdicts), ['Policy asks for approval: asks: plan']);
    assert.deepEqual(verdictNotes(verdicts.slice(0, 1)), ['Policy: all 1 rules are kept (kept)']);
  });
});

describe('an expression', () => {
  const table: [string, PolicySubject, RegExp | undefined][] = [
    ['plan.operation == "deploy"', 'plan', undefined],
    ['image.digest.startsWith("sha256:")', 'image', undefined],
    ['service.stateful', 'plan', /Unknown variable: service/],
    ['plan.', 'plan', /no expression of CEL/],
    ['size(plan.services)', 'plan', /true or false, and is of type int/],
    ['nosuch(plan)', 'plan', /no expression of CEL/],
    ['('.repeat(200) + 'true' + ')'.repeat(200), 'plan', /no expression of CEL/],
  ];
  for (const [text, subject, why] of table)
    test(`${text.slice(0, 40)} for ${subject}`, () => {
      const problem = expressionProblem(text, subject);
      if (why === undefined) assert.equal(problem, undefined);
      else assert.match(problem ?? '', why);
    });
});
