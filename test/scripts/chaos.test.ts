/** What a seed means, and how a run that goes wrong is made smaller, without a sandbox. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Expected, judge } from '../chaos/invariants.ts';
import { faultText, OPERATIONS, operationText, scenarioOf } from '../chaos/scenario.ts';
import { shrink } from '../chaos/shrink.ts';
import type { World } from '../chaos/world.ts';

const seeds = Array.from({ length: 300 }, (_, index) => index + 1);

test('a seed is the same operations and faults wherever it is run; many seeds are all kinds of both', () => {
  const all = seeds.map((seed) => scenarioOf(seed));
  assert.deepEqual(
    seeds.map((seed) => scenarioOf(seed)),
    all,
  );
  const kinds = new Set(all.flatMap(({ operations }) => operations.map(({ kind }) => kind)));
  assert.deepEqual([...kinds].sort(), [...OPERATIONS].sort());
  const blows = new Set(all.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
  assert.deepEqual([...blows].sort(), ['answers', 'cut', 'full', 'kill', 'slow', 'stall', 'stop']);
  for (const { operations, faults } of all) {
    for (const fault of faults) assert.ok(operations[fault.operation] !== undefined, faultText(fault));
    for (const { kind, tags, at } of operations)
      assert.equal(tags.length > 0 && kind !== 'deploy', at !== undefined, operationText({ kind, tags }));
  }
  for (const seed of seeds.slice(0, 20)) {
    const { faults } = scenarioOf(seed);
    const withClocks = scenarioOf(seed, { clocks: true }).faults;
    assert.deepEqual(withClocks.slice(0, faults.length), faults, 'what a seed gives without them comes first');
    assert.ok(withClocks.slice(faults.length).every(({ kind }) => kind === 'clock'));
  }
  // As somebody has it in a log: nothing of it may move.
  const { operations, faults } = scenarioOf(7);
  assert.deepEqual(operations.map(operationText), [
    'deploy auth=7.0.0 metrics=7.0.0',
    'deploy worker=7.1.0',
    'deploy auth=7.2.0 api=7.2.0 metrics=7.2.0',
  ]);
  assert.deepEqual(faults.slice(0, 3).map(faultText), [
    'operation 1, plan: worker-1 gets 503 from the API server, 3 times',
    'operation 2, worker applying: worker-1 to API server slower by 50 ms for 8 s',
    'operation 2, worker starting: worker-2 to engine lets nothing through for 4 s',
  ]);
});

test('of eight faults the two that matter together are left', async () => {
  const whole = scenarioOf(1);
  assert.equal(whole.faults.length, 8);
  const [one, other] = [whole.faults[2], whole.faults[6]];
  let runs = 0;
  const fails = ({ faults }: typeof whole): Promise<boolean> => {
    runs += 1;
    return Promise.resolve(faults.some((fault) => fault === one) && faults.some((fault) => fault === other));
  };
  assert.deepEqual(await shrink(whole, fails, 100), [2, 6]);
  assert.ok(runs < 20, String(runs));
  assert.deepEqual(await shrink(whole, fails, 0), [0, 1, 2, 3, 4, 5, 6, 7], 'nothing is left out untried');
});

const world: World = {
  releases: { 'apps/web': ['1:superseded', '2:deployed'] },
  jobs: { 'data/schema-1': { pods: 1, succeeded: 1, uid: 'j' } },
  secrets: { 'apps/web': 'digest' },
  tokens: [],
  workloads: {},
  tags: { web: '1' },
  claims: { 'data/d': 'c' },
};
const expected: Expected = { tags: { web: '1' }, applied: {} };

const CASES: [string, Partial<World>, Partial<Expected>, RegExp | undefined][] = [
  ['nothing', {}, {}, undefined],
  ['pending', { releases: { 'apps/web': ['2:deployed', '3:pending-upgrade'] } }, {}, /is left 3:pending-upgrade/],
  ['failed', { releases: { 'apps/web': ['2:superseded', '3:failed'] } }, { applied: { web: 1 } }, /is left 3:failed/],
  [
    'failed, since it was cancelled',
    { releases: { 'apps/web': ['2:superseded', '3:failed'] } },
    { applied: { web: 1 }, cancelled: ['web'] },
    undefined,
  ],
  [
    'pending, although it was cancelled',
    { releases: { 'apps/web': ['2:deployed', '3:pending-upgrade'] } },
    { applied: { web: 1 }, cancelled: ['web'] },
    /is left 3:pending-upgrade/,
  ],
  ['a second applier', { releases: { 'apps/web': ['4:deployed'] } }, { applied: { web: 1 } }, /applied 2 times, and 1/],
  ['one applier', { releases: { 'apps/web': ['2:superseded', '3:deployed'] } }, { applied: { web: 1 } }, undefined],
  ['applied for nothing', { releases: { 'apps/web': ['3:deployed'] } }, {}, /applied 1 times, and 0/],
  ['a release less', { releases: {} }, {}, /apps\/web is gone/],
  ['a Job twice', { jobs: { 'data/schema-1': { pods: 1, succeeded: 1, uid: 'k' } } }, {}, /ran a second time/],
  ['two pods of a Job', { jobs: { 'data/schema-1': { pods: 2, succeeded: 1, uid: 'j' } } }, {}, /has 2 pods/],
  ['another secret', { secrets: { 'apps/web': 'other' } }, {}, /has another content/],
  [
    'a token of a service account that was made anew',
    { secrets: { 'apps/web': 'other' }, tokens: ['apps/web'] },
    { rebuilt: true },
    undefined,
  ],
  ['another token', { secrets: { 'apps/web': 'other' }, tokens: ['apps/web'] }, {}, /has another content/],
  ['another secret of what was made anew', { secrets: { 'apps/web': 'other' } }, { rebuilt: true }, /another content/],
  ['no secret', { secrets: {} }, {}, /Secret apps\/web is gone/],
  ['another volume', { claims: { 'data/d': 'x' } }, {}, /claim data\/d is another one/],
  ['another image than was said', { tags: { web: '2' } }, {}, /web runs 2 instead of 1/],
];
for (const [what, after, more, violation] of CASES)
  test(`judged: ${what}`, () => {
    const found = judge(world, { ...world, ...after }, { ...expected, ...more });
    if (violation === undefined) assert.deepEqual(found, []);
    else assert.match(found.join('; '), violation);
  });
