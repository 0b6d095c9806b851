/** What `env check` says of gates, rules and freezes. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { approvalsSchema } from '../../src/environment/fields/approvals.ts';
import { freezeSchema } from '../../src/environment/fields/freeze.ts';
import { policySchema } from '../../src/environment/fields/policy.ts';

const said = (
  schema: { safeParse: (input: unknown) => { error?: { issues: { path: PropertyKey[]; message: string }[] } } },
  input: unknown,
): string[] => schema.safeParse(input).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

const window = (from: string, to: string): unknown => ({ windows: [{ name: 'w', from, to }] });

describe('a freeze', () => {
  const table: [what: string, input: unknown, why: RegExp | undefined][] = [
    ['that is sound', window('0 16 * * FRI', '0 8 * * MON'), undefined],
    ['of two kinds', window('0 16 * * FRI', '2026-12-18T18:00'), /windows\.0\.to: has to be of the same kind as from/],
    ['that ends before it begins', window('2026-12-19T18:00', '2026-12-18T18:00'), /has to be later than from/],
    ['without length', window('0 8 * * *', '0 8 * * *'), /is the same as from/],
    ['in no zone', { ...(window('0 16 * * FRI', '0 8 * * MON') as object), timeZone: 'Mars/Base' }, /no time zone/],
    ['without windows', { windows: [] }, /windows/],
    [
      'with an exception that comes again',
      {
        ...(window('0 16 * * FRI', '0 8 * * MON') as object),
        exceptions: [{ from: '0 8 * * *', to: '0 9 * * *', reason: 'r' }],
      },
      /exceptions\.0\.from: has to be a date and time/,
    ],
  ];
  for (const [what, input, why] of table)
    test(what, () => {
      const lines = said(freezeSchema, input);
      if (why === undefined) assert.deepEqual(lines, []);
      else assert.match(lines.join('\n'), why);
    });
});

test('gates: one or many, by name; more approvals than people are told', () => {
  assert.deepEqual(approvalsSchema.parse({ by: ['ann', { group: 'g' }] })[0]?.by, [{ user: 'ann' }, { group: 'g' }]);
  assert.match(said(approvalsSchema, [{ by: ['ann'], count: 2 }]).join('\n'), /0\.count: is 2, and only 1 are named/);
  assert.deepEqual(said(approvalsSchema, [{ by: [{ group: 'g' }], count: 2 }]), []);
  assert.match(said(approvalsSchema, [{ by: ['a'] }, { by: ['b'] }]).join('\n'), /1\.name: names one again: approval/);
});

test('rules are compiled', () => {
  assert.deepEqual(said(policySchema, [{ name: 'r', rule: 'plan.operation == "deploy"' }]), []);
  assert.match(said(policySchema, [{ name: 'r', rule: 'plan.' }]).join('\n'), /0\.rule: is no expression of CEL/);
});
