import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvalidArgumentError } from 'commander';
import { CliError } from '../../../src/cli/shared/failure.ts';
import { describeHolder, reviveLine, describeStall } from '../../../src/cli/shared/lock-words.ts';
import { statusJson, statusLines } from '../../../src/cli/render/status.ts';
import { summaryLines } from '../../../src/cli/render/summary.ts';
import { collectNames, collectPhases, selectionFlags, selectionOf } from '../../../src/cli/shared/selection-options.ts';
import { plainStyle } from '../../../src/cli/shared/terminal.ts';
import type { LockHolder } from '../../../src/contract/lock.ts';
import { STOPPED } from '../../../src/contract/operations/states.ts';
import { SelectionError } from '../../../src/plan/selection.ts';
import { miniCatalog } from '../../support/mini.ts';
import { fold, HALFWAY, outcome, result, START } from '../sample.ts';

const HOLDER: LockHolder = {
  operation: 'rollback',
  requestedBy: 'kim@laptop',
  workflowId: 'deploy/sandbox/1a2b3c4d',
  runId: 'run-1',
  since: new Date(START).toISOString(),
  workers: 1,
};
const embedded = { name: 'sandbox', engine: { embedded: true as const } };
const external = { name: 'staging', engine: { address: 'engine:7233', namespace: 'deployer', tls: false } };

describe('who holds the lock, in words', () => {
  test('what it is, who started it, since when', () => {
    assert.equal(
      describeHolder(HOLDER, START + 130_000),
      'a rollback that kim@laptop started at 2026-01-05T12:00:00.000Z (2 min 10 s ago)',
    );
  });

  test('one that does not move: why, and the line that helps', () => {
    assert.deepEqual(describeStall(HOLDER, embedded), []);
    const stalled = { ...HOLDER, workers: 0, stalled: 'its worker kim@laptop/7 is dead' };
    assert.deepEqual(describeStall(stalled, external), [
      'It does not move: its worker kim@laptop/7 is dead.',
      `Next: ${reviveLine(external)}`,
    ]);
    assert.match(reviveLine(embedded), /^npm run ananta -- up --env sandbox /);
    assert.match(reviveLine(external), /^npm run worker -- --env staging /);
  });

  test('in the status, with whoever waits', () => {
    const report = {
      environment: 'sandbox',
      components: [],
      holder: { ...HOLDER, stalled: 'its worker kim@laptop/7 is dead' },
      queued: { requestedBy: 'sam@desk', since: '2026-01-05T12:00:05.000Z' },
      revive: 'npm run ananta -- up',
      deployment: {
        description: { workflowId: HOLDER.workflowId, runId: 'run-1', status: 'RUNNING', startTime: new Date(START) },
        view: fold(HALFWAY),
      },
    };
    const lines = statusLines(report, { now: START + 12_000, columns: 80, style: plainStyle });
    assert.ok(
      lines.includes('The lock is held by a rollback that kim@laptop started at 2026-01-05T12:00:00.000Z (12 s ago).'),
      lines.join('\n'),
    );
    assert.ok(lines.includes('It does not move: its worker kim@laptop/7 is dead.'));
    assert.ok(lines.includes('A deployment that sam@desk asked for at 2026-01-05T12:00:05.000Z waits for the lock.'));
    assert.equal(lines.at(-1), '  npm run ananta -- up');
    const json = statusJson(report) as { lock: LockHolder; queued: { requestedBy: string } };
    assert.deepEqual([json.lock.requestedBy, json.queued.requestedBy], ['kim@laptop', 'sam@desk']);
  });
});

describe('how a deployment ended that was not whole', () => {
  const OPTIONS = { columns: 80, style: plainStyle, exports: [], lookAround: [] as [string, string][] };
  const lines = (services: Parameters<typeof result>[1], ended: Parameters<typeof result>[0], more = {}): string =>
    summaryLines(result(ended, services, more), OPTIONS).join('\n');

  test('what was not selected is no failure', () => {
    const text = lines([outcome('vault', 'unchanged', 0), outcome('identity', 'skipped', 0)], 'unchanged');
    assert.match(text, /what was selected is as wanted/);
    assert.match(text, /2 services: 1 unchanged, 1 not selected/);
    assert.doesNotMatch(text, /Not started/);
  });

  test('superseded: by whom, and what was not started any more', () => {
    const text = lines(
      [
        outcome('vault', 'healthy', 1),
        outcome('identity', 'skipped', 0, { type: STOPPED, message: 'not started: superseded by sam@desk' }),
      ],
      'cancelled',
      { supersededBy: 'sam@desk' },
    );
    assert.match(text, /was cancelled after .*: sam@desk took the lock over/);
    assert.match(text, /Not started any more, because it was stopped before \(1\):\n {2}identity/);
  });
});

describe('options that select', async () => {
  const catalog = await miniCatalog();

  test('lists are comma separated and add up', () => {
    assert.deepEqual(collectNames('web, vault', ['auth']), ['auth', 'web', 'vault']);
    assert.deepEqual(collectPhases('3,4', [1]), [1, 3, 4]);
    for (const text of ['', 'a,,b']) assert.throws(() => collectNames(text), InvalidArgumentError);
    for (const text of ['three', '3-4', '']) assert.throws(() => collectPhases(text), InvalidArgumentError);
  });

  test('become a selection, or nothing where everything is meant', () => {
    assert.equal(selectionOf({}, catalog), undefined);
    assert.deepEqual(selectionOf({ only: ['vault'], phase: [2], withDependencies: true }, catalog), {
      only: ['vault'],
      phases: [2],
      withDependencies: true,
    });
    assert.deepEqual(selectionFlags({ only: ['vault'], skip: ['web'] }), ['--only', '--skip']);
  });

  test('are refused before anything is touched', () => {
    assert.deepEqual(selectionOf({ only: ['auth'], withDependencies: true, image: { vault: '1' } }, catalog)?.only, [
      'auth',
    ]);
    assert.throws(
      () => selectionOf({ only: ['vault'], image: { vault: '1', auth: '2' } }, catalog),
      /--image auth=2 would do nothing: auth is not among what is selected \(only vault\)/,
    );
    assert.throws(
      () => selectionOf({ only: ['strage'] }, catalog),
      (error) => error instanceof SelectionError && error.message.includes('did you mean "storage"'),
    );
    assert.throws(
      () => selectionOf({ withDependencies: true }, catalog),
      (error) => error instanceof CliError && error.exitCode === 3,
    );
  });
});
