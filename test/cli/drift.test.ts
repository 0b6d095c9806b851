import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { merged } from '../../src/cli/drift/runs.ts';
import { scheduleLines } from '../../src/cli/drift/schedule.ts';
import { acceptedLines, type ListedRun, reportLines, resultLines, runLines } from '../../src/cli/render/drift.ts';
import { plainStyle as style } from '../../src/cli/shared/terminal.ts';
import type { ScheduleView } from '../../src/clients/temporal/index.ts';
import { readConfig } from '../../src/config.ts';
import type { DriftFinding, DriftReport } from '../../src/contract/drift.ts';
import { loadEnvironment } from '../../src/environment/load.ts';
import { shortId } from '../../src/plan/drift/key.ts';

const finding = (key: string, more: Partial<DriftFinding> = {}): DriftFinding => ({
  key,
  kind: 'changed',
  area: 'kubernetes',
  service: 'tracing',
  object: 'Deployment apps/web',
  field: 'spec.replicas',
  was: '1',
  is: '3',
  by: 'kubectl-edit',
  at: '2026-01-01T00:00:00Z',
  valueDigest: 'x',
  repair: 'release',
  ...more,
});
const report = (...findings: DriftFinding[]): DriftReport => ({
  environment: 'staging',
  at: '2026-01-01T00:00:00Z',
  seconds: 2.4,
  findings,
  accepted: 1,
  ignored: 2,
  checked: { objects: 286, releases: 55, vault: 71, secrets: 33 },
  simulated: 'Simulated pods cannot show: buckets',
});
const view = { flapping: [], style, columns: 100 };

describe('findings', () => {
  test('by service: what, was and is, who and when, what a repair would do; then counts and what to do next', () => {
    const id = shortId('a');
    assert.deepEqual(reportLines(report(finding('a')), view), [
      'tracing',
      `  ${id}  changed: Deployment apps/web spec.replicas`,
      '          1 → 3',
      '          by kubectl-edit, 2026-01-01T00:00:00Z',
      '          repair: its release is applied again',
      '',
      'Drift on staging: 1 finding (1 changed).',
      'Compared in 2.4 s: 286 objects of 55 releases, 71 things in Vault, 33 Secrets; 1 accepted, 2 ignored.',
      'Simulated pods cannot show: buckets',
      'Next: npm run ananta -- drift run --repair --env staging   (repairs what can be repaired)',
      `Next: npm run ananta -- drift accept ${id} --reason WHY --env staging   (takes ${id} as it is)`,
    ]);
  });

  test('none: one line, and nothing to do', () => {
    const lines = reportLines(report(), view);
    assert.equal(lines[0], 'No drift on staging.');
    assert.ok(lines.every((line) => !line.startsWith('Next:')));
  });

  test('what flaps says so and how to go on; what only a person can repair promises nothing', () => {
    const lines = reportLines(
      report(finding('a'), finding('b', { service: undefined, repair: undefined, note: 'nobody may look' })),
      { ...view, flapping: ['a'] },
    ).join('\n');
    assert.match(lines, /left alone: it came back after each repair/);
    assert.match(lines, new RegExp(`drift reset ${shortId('a')} --env staging`));
    assert.match(lines, /Platform\n[^]*only a person can repair it\n +nobody may look/);
    assert.doesNotMatch(
      reportLines(report(finding('b', { repair: undefined })), view).join('\n'),
      /drift run --repair/,
    );
  });

  test('control sequences of others do not reach the terminal', () => {
    assert.doesNotMatch(
      reportLines(report(finding('a', { is: '\u001b[31mred\u001b[0m\nline' })), view).join('\n'),
      /\u001b/,
    );
  });
});

describe('a run that has ended', () => {
  test('what was repaired, what is left', () => {
    const lines = resultLines(
      {
        environment: 'staging',
        outcome: 'drifted',
        report: report(finding('a'), finding('b')),
        repaired: ['a'],
        flapping: [],
        remaining: [finding('b')],
      },
      view,
    );
    assert.equal(lines[0], `✔ repaired ${shortId('a')}  Deployment apps/web spec.replicas`);
    assert.ok(lines.includes('Drift run on staging: drifted, 1 repaired, 1 left.'));
  });

  test('skipped names who holds the lock', () => {
    assert.deepEqual(
      resultLines(
        {
          environment: 'staging',
          outcome: 'skipped',
          reason: 'deploy by me holds the lock',
          repaired: [],
          flapping: [],
        },
        view,
      ),
      ['Drift run on staging: skipped: deploy by me holds the lock.'],
    );
  });
});

describe('lists', () => {
  const run = (runId: string, at: string, more: Partial<ListedRun> = {}): ListedRun => ({
    runId,
    at,
    workflowId: `drift/${runId}`,
    outcome: 'clean',
    ...more,
  });

  test('runs of cluster and engine are one list, newest first, each once', () => {
    const all = merged(
      [run('a', '2026-01-02', { findings: 3 })],
      [run('b', '2026-01-03', { outcome: 'failed' }), run('a', '2026-01-02')],
    );
    assert.deepEqual(
      all.map(({ runId, findings }) => [runId, findings]),
      [
        ['b', undefined],
        ['a', 3],
      ],
    );
    assert.match(
      runLines(all, 'staging', style).join('\n'),
      /^Ended +Outcome[^]*2026-01-03 +failed +- [^]*2026-01-02 +clean +3 /,
    );
    assert.match(runLines([], 'staging', style).join('\n'), /No drift run on staging yet/);
  });

  test('acceptances with who, when and why', () => {
    assert.deepEqual(
      acceptedLines(
        [
          {
            key: 'a',
            valueDigest: 'x',
            what: 'Deployment a spec.replicas',
            is: '3',
            reason: 'sale',
            by: 'me@here',
            at: '2026-01-01',
          },
        ],
        'staging',
        style,
      ),
      [`${shortId('a')}  Deployment a spec.replicas: 3`, '        sale (me@here, 2026-01-01)'],
    );
  });
});

describe('schedule', () => {
  const schedule: ScheduleView = {
    id: 'drift/sandbox/1',
    paused: false,
    note: '',
    everySeconds: 900,
    input: { environment: 'sandbox', clusterUid: '1', mode: 'repair' },
    next: ['2026-01-01T00:15:00Z'],
    running: [],
    runs: 4,
    skippedForOverlap: 0,
    missed: 0,
  };

  test('mode, interval and next runs; a file that says something else is told', async () => {
    const environment = await loadEnvironment('sandbox', readConfig());
    const lines = scheduleLines(schedule, environment, style).join('\n');
    assert.match(lines, /Mode +repair, every 15 min\nState +waiting\nNext +2026-01-01T00:15:00Z/);
    assert.doesNotMatch(lines, /sandbox\.yaml/);
    const edited = (drift: object): string =>
      scheduleLines(schedule, { ...environment, drift: { ...environment.drift, ...drift } }, style).join('\n');
    assert.match(
      edited({ mode: 'off' }),
      /sandbox\.yaml says off: that counts from the next run on; the next deployment changes the schedule itself/,
    );
    assert.match(edited({ everySeconds: 60 }), /sandbox\.yaml says every 60 s: the next deployment changes it/);
  });

  test('paused: by whom, and how to resume', async () => {
    const lines = scheduleLines(
      { ...schedule, paused: true, note: 'Paused by me@here: restore' },
      await loadEnvironment('sandbox', readConfig()),
      style,
    ).join('\n');
    assert.match(lines, /State +paused\. Paused by me@here: restore[^]*drift resume --env sandbox/);
    assert.doesNotMatch(lines, /^Next +2026/m);
  });
});
