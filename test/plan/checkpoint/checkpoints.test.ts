/** Which databases a deployment keeps first, and which of what is kept may go. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CheckpointRecord } from '../../../src/contract/checkpoint.ts';
import {
  checkpointFileName,
  checkpointsFor,
  checkpointsToRemove,
  withCheckpoints,
} from '../../../src/plan/checkpoint/checkpoints.ts';
import { rewrittenTables, rowChanges } from '../../../src/plan/checkpoint/contents.ts';
import type { Crossing } from '../../../src/plan/versions/migrations.ts';
import { compileSteps } from '../../../src/plan/steps/compile.ts';
import { planOf } from '../../support/plans.ts';

const catalog = {
  migrations: [
    { service: 'schema', database: 'db/main', location: 'm/schema', checkpoint: { kind: 'postgres' as const } },
    { service: 'other', database: 'db/other', location: 'm/other' },
  ],
};
const plan = planOf({
  db: { phase: 1, action: 'unchanged' },
  schema: { phase: 1, dependsOn: ['db'], action: 'upgrade', job: true },
  other: { phase: 1, dependsOn: ['db'], action: 'upgrade', job: true },
  web: { phase: 2, dependsOn: ['schema'], action: 'upgrade' },
});
const pending = new Map([
  ['test/schema', ['V2__drop.sql']],
  ['test/other', ['V9__drop.sql']],
]);

const record = (database: string, at: string, ...before: string[]): CheckpointRecord => ({
  environment: 'a',
  at,
  run: at,
  by: 'b',
  server: 'db',
  database,
  before,
  seconds: 1,
});

describe('checkpoints in a plan', () => {
  const steps = compileSteps(withCheckpoints(plan, catalog, pending), { verb: 'deploy' });

  test('one before the migration that cannot be taken back, where the catalog asks for it; nothing else waits for it', () => {
    const [only, ...more] = steps.filter(({ kind }) => kind === 'checkpoint');
    assert.deepEqual(more, []);
    assert.equal(only?.id, 'checkpoint/test/schema');
    assert.deepEqual(only.checkpoint, { database: 'db/main', before: ['V2__drop.sql'] });
    assert.match(only.reason, /db\/main .* V2__drop\.sql/);
    const after = steps.filter(({ dependsOn }) => dependsOn.includes(only.id)).map(({ id }) => id);
    assert.deepEqual(after, ['job/test/schema']);
  });

  test('a plan without any is the plan that it was', () => {
    assert.equal(withCheckpoints(plan, catalog, new Map()), plan);
    const none = withCheckpoints(plan, { migrations: [] }, pending);
    assert.deepEqual(compileSteps(none, { verb: 'deploy' }), compileSteps(plan, { verb: 'deploy' }));
  });

  for (const action of ['install', 'unchanged', 'verify', 'excluded'] as const)
    test(`nothing is kept for a Job that is ${action}`, () => {
      const other = planOf({ schema: { phase: 1, action, job: true } });
      assert.ok(
        !compileSteps(withCheckpoints(other, catalog, pending), { verb: 'deploy' }).some(
          ({ kind }) => kind === 'checkpoint',
        ),
      );
    });
});

describe('the way back over migrations', () => {
  const crossing = (release: string, id: string): Crossing => ({
    release,
    file: `helm/m/${release}/${id}`,
    reason: 'r',
  });
  const records = [
    record('main', '5'),
    record('main', '4', 'V4__drop.sql'),
    record('main', '3', 'V2__drop.sql', 'V3__drop.sql'),
    record('other', '2', 'V2__drop.sql'),
    record('main', '1', 'V2__drop.sql'),
  ];
  for (const [name, crossed, chosen, missing] of [
    ['none is crossed', [], [], []],
    [
      'the newest from before the first that is crossed',
      [crossing('schema', 'V2__drop.sql'), crossing('schema', 'V4__drop.sql')],
      ['3'],
      [],
    ],
    ['a later one alone', [crossing('schema', 'V4__drop.sql')], ['4'], []],
    [
      'of each database its own',
      [crossing('schema', 'V4__drop.sql'), crossing('other', 'V2__drop.sql')],
      ['4', '2'],
      [],
    ],
    ['one without a checkpoint', [crossing('schema', 'V9__drop.sql')], [], ['helm/m/schema/V9__drop.sql']],
  ] as const)
    test(name, () => {
      const way = checkpointsFor(crossed, catalog, records);
      assert.deepEqual([way.chosen.map(({ at }) => at), way.missing], [chosen, missing]);
    });
});

describe('checkpoints that are kept', () => {
  test('the newest of each database stay', () => {
    const records = [record('x', '5'), record('y', '4'), record('x', '3'), record('x', '2'), record('y', '1')];
    assert.deepEqual(
      checkpointsToRemove(records, 2).map(({ at }) => at),
      ['2'],
    );
    assert.deepEqual(
      checkpointsToRemove(records, 0).map(({ at }) => at),
      ['3', '2', '1'],
      'one always stays',
    );
  });

  test('files are no backups of the deployer, and sort by time', () => {
    assert.equal(
      checkpointFileName('a', { server: 'db', database: 'main' }, '2026-11-30T22:15:00.123Z', '0123456789'),
      'ananta-a-checkpoint-db-main-20261130T221500Z-01234567.dump.age',
    );
  });

  test('what is in tables is compared by its sum where they have as many rows', () => {
    const of = (rows: number, sum: string): { rows: number; sum: string } => ({ rows, sum });
    assert.deepEqual(
      rewrittenTables(
        { same: of(1, '5'), changed: of(2, '7'), more: of(3, '9'), new: of(1, '1') },
        { same: of(1, '5'), changed: of(2, '8'), more: of(2, '9'), gone: of(1, '1') },
      ),
      ['changed'],
    );
  });

  test('rows are compared by table', () => {
    assert.deepEqual(rowChanges({ a: 1, b: 2, new: 3 }, { a: 1, b: 1, gone: 4 }), [
      { table: 'b', now: 2, then: 1 },
      { table: 'gone', now: undefined, then: 4 },
      { table: 'new', now: 3, then: undefined },
    ]);
  });
});
