/** Windows in which nothing is deployed, in zones whose clocks change, against looking at every quarter of an hour. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { freezeAt, type FreezeRules } from '../../src/plan/freeze/state.ts';
import { RUNS } from './arbitrary.ts';

const QUARTER = 15 * 60_000;
/** Around both changes of the clocks of 2026 in Europe. */
const BEGINS = [Date.UTC(2026, 2, 27), Date.UTC(2026, 9, 23), Date.UTC(2026, 10, 30)];
const clock = fc.tuple(fc.nat(23), fc.constantFrom(0, 15, 30, 45));
const weekly = fc.tuple(clock, fc.nat(6)).map(([[hour, minute], day]) => `${minute} ${hour} * * ${day}`);
const rules: fc.Arbitrary<FreezeRules> = fc.record({
  timeZone: fc.constantFrom('Europe/Berlin', 'UTC', 'America/New_York', 'Asia/Kolkata'),
  windows: fc.array(
    fc.record({ name: fc.constantFrom('a', 'b'), from: weekly, to: weekly }).filter(({ from, to }) => from !== to),
    { minLength: 1, maxLength: 2 },
  ),
  exceptions: fc.array(
    fc.record({ reason: fc.constant('r'), from: weekly, to: weekly }).filter(({ from, to }) => from !== to),
    { maxLength: 1 },
  ),
});

test('until the time that it names it is frozen, and then it is not', () => {
  fc.assert(
    fc.property(rules, fc.constantFrom(...BEGINS), fc.nat(4 * 24 * 4), (found, begin, quarters) => {
      const at = begin + quarters * QUARTER;
      const { frozen, until } = freezeAt(found, at);
      if (!frozen || until === undefined) return;
      const opens = Date.parse(until);
      assert.ok(opens > at);
      assert.equal(freezeAt(found, opens).frozen, false);
      assert.equal(freezeAt(found, opens - 1).frozen, true);
      for (let moment = at; moment < Math.min(opens, at + 24 * QUARTER); moment += QUARTER)
        assert.equal(freezeAt(found, moment).frozen, true, new Date(moment).toISOString());
    }),
    // Of each a calendar is asked some hundred times.
    { numRuns: Math.ceil(RUNS / 10) },
  );
});
