/** A run of rings as one file, and as lines: how each ring and environment passed its time, and why it ended. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changesSince, ringsHistoryLines, ringsLines } from '../../../src/cli/rings/render.ts';
import { plainStyle } from '../../../src/cli/shared/terminal.ts';
import type { RingsInput, RingsView } from '../../../src/contract/operations/rings.ts';
import { renderRings, type RingsReport } from '../../../src/plan/rings/report.ts';
import { emptyView, markStates } from '../../../src/plan/rings/view.ts';

const BEGAN = Date.parse('2026-11-30T12:00:00Z');
const input: RingsInput = {
  name: 'world',
  requestedBy: 'ann@host',
  imageTags: {},
  rings: [
    ['canary', ['east']],
    ['everybody', ['west']],
    ['rest', ['north']],
  ].map(([name, environments]) => ({
    name: name as string,
    targets: (environments as string[]).map((environment) => ({ environment, clusterUid: 'uid' })),
    soak: { seconds: 60, looks: 2 },
    onFailure: 'rollback' as const,
  })),
};

/** The second of three rings has failed and was taken back. */
function failedView(): RingsView {
  const view = emptyView(input, BEGAN);
  const [first, second, third] = view.rings as [RingsView['rings'][0], RingsView['rings'][0], RingsView['rings'][0]];
  const at = (seconds: number, change: () => void): void => {
    change();
    markStates(view, BEGAN + seconds * 1000);
  };
  at(0, () => (first.state = 'deploying'));
  at(1, () => Object.assign(first.targets[0]!, { state: 'deploying', runId: 'run-1' }));
  at(11, () => Object.assign(first.targets[0]!, { state: 'deployed', version: 7, requester: 'ann' }));
  at(11, () => Object.assign(first, { state: 'soaking', looks: 2 }));
  at(71, () => (first.state = 'passed'));
  at(71, () => (second.state = 'deploying'));
  at(71, () => (second.targets[0]!.state = 'queued'));
  at(81, () => Object.assign(second.targets[0]!, { state: 'deploying', runId: 'run-2' }));
  at(91, () => Object.assign(second.targets[0]!, { state: 'failed' }));
  at(91, () => Object.assign(second, { state: 'failed', reasons: ['west: web: <b>no</b>'] }));
  at(92, () => Object.assign(second.targets[0]!, { state: 'taking back', runId: 'run-3' }));
  at(99, () => Object.assign(second.targets[0]!, { state: 'taken back', detail: 'to version 6' }));
  at(100, () => (third.state = 'not started'));
  // Nothing is written down twice.
  at(100, () => Object.assign(view, { outcome: 'failed', endedAt: BEGAN + 100_000 }));
  return view;
}

const reportOf = (view: RingsView, more: Partial<RingsReport> = {}): RingsReport => ({
  ...view,
  runId: '0123abcd-0000',
  startedAt: BEGAN,
  endedAt: BEGAN + 100_000,
  ...more,
});

describe('a report of rings', () => {
  test('each ring and environment says how long it was in each state, and whose runs did it', () => {
    const html = renderRings(reportOf(failedView()));
    for (const part of [
      'Rings world <span class="bad">failed</span>',
      'aria-label="canary: 11 s deploying, 60 s soaking, passed, 2 looks passed"',
      'aria-label="east: 10 s deploying, deployed"',
      'aria-label="west: 10 s waiting for the lock of the environment, 10 s deploying, 7.0 s being taken back, taken back"',
      '<li class="bad">west: web: &lt;b&gt;no&lt;/b&gt;</li>',
      'Not started: rest.',
      '<code>run-2</code><br><code>run-3</code>',
      'left:92.00%;width:7.00%',
    ])
      assert.ok(html.includes(part), `${part} is not in\n${html}`);
    assert.doesNotMatch(html, /https?:\/\/|<script|<b>no/);
  });

  test('while they run, and after somebody has ended them from outside', () => {
    const view = failedView();
    const { endedAt: _end, ...running } = { ...view, outcome: 'running' as const };
    running.rings[1]!.targets[0]!.held = ['paused by ops'];
    const html = renderRings(reportOf(running));
    assert.match(html, /still running[^]*Until now[^]*to version 6<br>paused by ops/);
    assert.match(renderRings(reportOf(running, { ended: 'terminated' })), /<span class="bad">terminated<[^]*<dt>Took/);
  });

  test('of a run of an earlier version, which kept no times', () => {
    const view = failedView();
    for (const one of view.rings.flatMap((ring) => [ring, ...ring.targets])) delete one.states;
    assert.match(renderRings(reportOf(view)), /aria-label="west: taken back"/);
  });
});

describe('lines', () => {
  test('of earlier runs: which ring has failed, and why; of one that is not readable, what the engine knows', () => {
    const view = failedView();
    const lines = ringsHistoryLines(
      'world',
      [
        {
          runId: '0123abcd-0000',
          requestedBy: 'ann@host',
          outcome: 'failed',
          startedAt: BEGAN,
          endedAt: BEGAN + 100_000,
          view,
        },
        { runId: '89abcdef-0000', requestedBy: '', outcome: 'terminated', startedAt: BEGAN - 1e6, endedAt: BEGAN },
      ],
      { columns: 200, style: plainStyle },
    );
    assert.match(
      lines[1] ?? '',
      /^0123abcd +2026-11-30 12:00 +ann@host +failed +100 s +canary passed; everybody failed: west: web: <b>no<\/b>; rest not started$/,
    );
    assert.match(lines[2] ?? '', /^89abcdef +.* terminated +16 min 40 s$/);
  });

  test('why a ring failed is said once: in the row of the environment, or below where that says less', () => {
    const view = failedView();
    const said = (): string[] => ringsLines(view, plainStyle).filter((line) => line.includes('<b>no</b>'));
    assert.deepEqual(said(), ['  west: web: <b>no</b>'], 'its row says how it was taken back');
    const [west] = view.rings[1]!.targets;
    Object.assign(west!, { state: 'failed', detail: 'web: <b>no</b>' });
    assert.deepEqual(said().length, 1);
    assert.match(said()[0] ?? '', /^ {2}west +failed +web: <b>no<\/b>$/);
    const long = `web: ${'x'.repeat(300)}`;
    Object.assign(west!, { detail: long });
    view.rings[1]!.reasons = [`west: ${long}`];
    assert.ok(ringsLines(view, plainStyle).includes(`  west: ${long}`), 'a row shows its beginning');
  });

  test('for whom a deployment waits is said once, and stands in the status', () => {
    const before = failedView();
    const now = structuredClone(before);
    now.rings[1]!.targets[0]!.held = ['waits at the gate release'];
    assert.deepEqual(changesSince(before, now), ['everybody: west waits at the gate release']);
    assert.deepEqual(changesSince(now, structuredClone(now)), []);
    assert.ok(ringsLines(now, plainStyle).some((line) => line.includes('to version 6; waits at the gate release')));
  });
});
