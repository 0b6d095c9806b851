import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AgedSecret, overdueFindings } from '../../../src/plan/drift/vault/overdue.ts';

const DAY = 86_400;
const now = Date.parse('2026-06-01T00:00:00Z');
const secret: AgedSecret['secret'] = {
  path: 'stores/queue',
  key: 'password',
  rotation: { system: 'redis', server: 'cache' },
  declared: { kind: 'generated', name: 'password', format: 'alphanumeric', length: 32 },
  username: '',
};
const rotation = { olderThanSeconds: 90 * DAY, timeZone: 'UTC' };

describe('values that are too old', () => {
  const rows: [
    string,
    Omit<AgedSecret, 'secret'>,
    Partial<typeof rotation & { paths: string[] }> | undefined,
    string[],
  ][] = [
    ['a young one', { since: '2026-05-01T00:00:00Z' }, {}, []],
    ['an old one', { since: '2026-01-01T00:00:00Z' }, {}, ['password age: at most 90 days, 151 days']],
    ['one of which nobody knows', {}, {}, ['password age: at most 90 days, unknown']],
    ['an old one of another path', { since: '2026-01-01T00:00:00Z' }, { paths: ['stores/cache'] }, []],
    ['where nobody says how old they may get', { since: '2020-01-01T00:00:00Z' }, undefined, []],
    [
      'a rotation that has not ended, whatever the environment says',
      { since: '2026-05-01T00:00:00Z', begun: '2026-05-31T00:00:00Z' },
      undefined,
      ['password rotation: ended, begun 2026-05-31T00:00:00Z, and not ended'],
    ],
  ];
  for (const [what, age, more, expected] of rows)
    test(what, () => {
      const found = overdueFindings([{ secret, ...age }], {
        rotation: more && { ...rotation, ...more },
        name: 'staging',
        now,
      });
      assert.deepEqual(
        found.map(({ field, was, is }) => `${field ?? ''}: ${was ?? ''}, ${is ?? ''}`),
        expected,
      );
      for (const { note, repair } of found) {
        assert.match(note ?? '', /npm run ananta -- rotate stores\/queue password --env staging/);
        assert.equal(repair, undefined);
      }
    });

  test('an acceptance lasts until the value is rotated', () => {
    const digests = ['2026-06-01', '2026-06-09'].map(
      (day) =>
        overdueFindings([{ secret, since: '2026-01-01T00:00:00Z' }], {
          rotation,
          name: 'staging',
          now: Date.parse(day),
        })[0]?.valueDigest,
    );
    assert.equal(digests[0], digests[1]);
  });
});
