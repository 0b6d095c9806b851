/**
 * Plans of rollbacks, repairs and destructions: printed, drawn, saved, and refused when they no longer match the
 * cluster.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writePlanFile } from '../../../src/cli/plan/file.ts';
import { keptPlan, requireSamePlan } from '../../../src/cli/plan/kept.ts';
import { stepLines } from '../../../src/cli/plan/steps.ts';
import type { CliError } from '../../../src/cli/shared/failure.ts';
import { plainStyle } from '../../../src/cli/shared/terminal.ts';
import type { OperationPlan } from '../../../src/contract/operations/plan.ts';
import { operationPlanFileOf } from '../../../src/plan/diff/file.ts';
import { renderStepsDot } from '../../../src/plan/render/steps-dot.ts';
import { renderStepsSvg } from '../../../src/plan/render/svg.ts';
import { completed } from '../../../src/plan/steps/complete.ts';
import { doesSomething } from '../../../src/plan/steps/text.ts';
import { planOf } from '../../support/plans.ts';

const back: OperationPlan = completed(
  {
    ...planOf({ web: { phase: 2, action: 'rollback' }, api: { phase: 1, dependsOn: ['web'], action: 'rollback' } }),
    operation: 'rollback',
    toVersion: 3,
    notes: ['old stays'],
  },
  { verb: 'rollback' },
);
const made = { createdAt: '2026-01-01T00:00:00Z', requestedBy: 'you@laptop', clusterUid: 'uid-1', digest: back.digest };

describe('every step of a plan', () => {
  test('in words: numbered, with what it waits for and why', () => {
    const lines = stepLines(back, { columns: 140, style: plainStyle });
    assert.equal(lines[0], `Plan of a rollback on test: ${back.digest}`);
    assert.equal(lines[1], 'old stays');
    const row = (id: string): string => lines.find((line) => line.includes(` ${id} `)) ?? '';
    assert.match(row('rollback/test/web'), /^ {3}1 {2}rollback\/test\/web/);
    assert.match(row('verify/test/web'), /after 1 /);
    assert.match(row('rollback/test/api'), /after 2 /);
    assert.match(row('services'), /after all steps of services/);
    assert.match(row('unlock'), /at the end, if it was interrupted/);
    assert.equal(lines.length, 2 + (back.steps?.length ?? 0));
  });

  test('as a picture: each step, each edge', async () => {
    const dot = renderStepsDot(back);
    assert.match(dot, /"rollback\/test\/web" -> "verify\/test\/web";/);
    assert.match(dot, /"verify\/test\/web" -> "rollback\/test\/api";/);
    assert.match(dot, /"version" -> "audit";/);
    const svg = (await renderStepsSvg(back)).replaceAll('&#45;', '-');
    for (const { id } of back.steps ?? []) assert.ok(svg.includes(id), id);
  });

  test('nothing to do is told apart from what only looks and records', () => {
    const idle = completed(planOf({ web: { phase: 1, action: 'unchanged' } }), { verb: 'rollback' });
    assert.equal(doesSomething(idle.steps), false);
    assert.equal(doesSomething(back.steps ?? []), true);
    assert.ok(stepLines(idle, { columns: 100, style: plainStyle }).includes('Nothing is to be done to the cluster.'));
  });
});

describe('a kept plan', () => {
  let folder: string;
  let path: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ananta-plans-'));
    path = join(folder, 'back.json');
    await writePlanFile(path, operationPlanFileOf(back, { toVersion: 3 }, made));
  });
  after(() => rm(folder, { recursive: true }));

  test('says which operation, with what, and every step', async () => {
    const file = await keptPlan(path, 'rollback', 'test');
    assert.deepEqual([file.operation, file.toVersion, file.digest], ['rollback', 3, back.digest]);
    assert.deepEqual(
      file.all?.map(({ id }) => id),
      back.steps?.map(({ id }) => id),
    );
  });

  const refusals: [string, () => Promise<unknown>, RegExp][] = [
    [
      'by another operation, which is named',
      () => keptPlan(path, 'destroy', 'test'),
      /that of a rollback, not of a destroy/,
    ],
    ['by a deployment', () => keptPlan(path, 'deploy', 'test'), /that of a rollback, not of a deploy/],
    [
      'beside an option that it says already',
      () => keptPlan(path, 'rollback', 'test', ['--to']),
      /--to cannot be given together with --plan/,
    ],
    ['for another environment', () => keptPlan(path, 'rollback', 'prod'), /for environment "test", not for "prod"/],
  ];
  for (const [name, ask, says] of refusals)
    test(`is refused ${name}`, () =>
      assert.rejects(ask, (error: Error & { exitCode?: number }) => error.exitCode === 3 && says.test(error.message)));

  test('is refused where the world is another, with what is different', async () => {
    const file = await keptPlan(path, 'rollback', 'test');
    requireSamePlan(path, file, 'uid-1', { digest: back.digest });
    assert.throws(
      () => requireSamePlan(path, file, 'uid-2', { digest: back.digest }),
      /was made for the cluster .* uid-1/,
    );
    const now = structuredClone(back);
    now.services[0]!.steps[0]!.revision = 7;
    assert.throws(
      () => requireSamePlan(path, file, 'uid-1', { digest: 'fedcba9876543210', plan: now }),
      /does not fit any more; what would be done now is fedcba9876543210:\n {2}web: no release then, revision 7 now/,
    );
  });

  test('of an earlier version is one of a deployment', async () => {
    const { operation: _operation, all: _all, toVersion: _to, ...file } = operationPlanFileOf(back, {}, made);
    const old = join(folder, 'old.json');
    await writeFile(old, JSON.stringify(file));
    assert.equal((await keptPlan(old, 'deploy', 'test')).operation, undefined);
    await assert.rejects(keptPlan(old, 'rollback', 'test'), /that of a deploy, not of a rollback/);
  });

  test('of an adoption says whose, and how to make it anew', async () => {
    const kept = join(folder, 'adopt.json');
    await writePlanFile(kept, operationPlanFileOf({ ...back, operation: 'adopt' }, { service: 'web' }, made));
    const file = await keptPlan(kept, 'adopt', 'test');
    assert.equal(file.service, 'web');
    assert.throws(
      () => requireSamePlan(kept, file, 'uid-1', { digest: 'fedcba9876543210' }),
      ({ next }: CliError) => /--operation adopt --only web --out/.test(next.join()),
    );
  });
});
