import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LiveEvent } from '../../../src/cli/render/live.ts';
import { statusJson, statusLines } from '../../../src/cli/render/status.ts';
import { inOrder } from '../../../src/cli/look/status.ts';
import type { StatusReport } from '../../../src/cli/look/status-report.ts';
import { plainStyle } from '../../../src/cli/shared/terminal.ts';
import { verificationLines } from '../../../src/cli/operations/verify.ts';
import { ALL_GOOD, ended, FAILED, fold, HALFWAY, outcome, PAST, result, START } from '../sample.ts';

const COMPONENT = { name: 'temporal', version: '1.5.1', pid: 7, port: 7233, healthy: true, detail: '' };
const OPTIONS = { now: START + 12_000, columns: 80, style: plainStyle };

function report(status: string, events: readonly LiveEvent[], more: Partial<StatusReport> = {}): StatusReport {
  return {
    environment: 'sandbox',
    components: [COMPONENT],
    ...more,
    deployment: {
      description: { workflowId: 'deploy/sandbox/1a2b3c4d', runId: 'run-1', status, startTime: new Date(START) },
      view: fold(events),
      url: 'http://127.0.0.1:8233/x',
    },
  };
}

const failedResult: LiveEvent = {
  kind: 'finished',
  result: result('failed', [outcome('identity', 'failed', 301)], { seconds: 310 }),
};

describe('status', () => {
  test('of a running deployment: who holds the lock, what each service waits for', () => {
    const running = report('RUNNING', HALFWAY);
    assert.deepEqual(statusLines(running, OPTIONS), [
      'sandbox: a deployment is running for 0:12: 1/5 services done',
      'Workflow deploy/sandbox/1a2b3c4d, run run-1, holds the lock of this environment',
      'http://127.0.0.1:8233/x',
      '   1 Core Infrastructure: 1/2',
      '       gitops: applying: gitops: nothing there yet',
      '   4 Authentication: 0/2',
      '       identity: starting: waits for identity to be healthy',
      '       identity-init: waiting for identity',
      '  14 Frontend Applications: 0/1',
      '       dashboard: waiting for identity-init, gitops',
      '',
      'All 1 components on this machine run.',
      '',
      'Next:',
      '  npm run ananta -- attach --env sandbox   (watches it)',
    ]);
    assert.equal(inOrder(running), true);
  });

  test('the time that is left as earlier runs took, and what takes longer than ever', () => {
    const running = report('RUNNING', [...HALFWAY, { kind: 'past', runs: PAST }]);
    assert.equal(
      statusLines(running, OPTIONS)[0],
      'sandbox: a deployment is running for 0:12: 1/5 services done, 0:22 left (0:18–0:26)',
    );
    const at = (now: number) => (statusJson(running, now) as { deployment: Record<string, unknown> }).deployment;
    assert.deepEqual(at(OPTIONS.now)['remaining'], { seconds: 22, low: 18, high: 26, runs: 2 });
    assert.deepEqual(at(OPTIONS.now)['slow'], []);
    const late = START + 60_000;
    assert.ok(
      statusLines(running, { ...OPTIONS, now: late }).includes(
        'gitops takes longer than ever before: 0:59, the longest of 2 runs was 0:14',
      ),
    );
    assert.equal(at(late)['remaining'], null);
    assert.deepEqual(at(late)['slow'], [
      { name: 'gitops', seconds: 59, longest: 14, runs: 2 },
      { name: 'identity', seconds: 51, longest: 15, runs: 2 },
    ]);
  });

  test('of a failed one: the reason, and exit code 1', () => {
    const failed = report('FAILED', [...FAILED, failedResult]);
    const lines = statusLines(failed, OPTIONS);
    assert.equal(lines[0], 'sandbox: the newest deployment failed after 5 min 10 s, 2026-01-05T12:00:00.000Z');
    assert.ok(
      lines.some((line) =>
        line.startsWith('       identity: failed: identity in identity-ns was not healthy within 300 s'),
      ),
    );
    assert.equal(inOrder(failed), false);
  });

  test('when the next drift run is, or that somebody has paused them', () => {
    const schedule = {
      id: 'drift/sandbox/1a2b3c4d',
      paused: false,
      note: '',
      everySeconds: 900,
      input: { environment: 'sandbox', clusterUid: '1', mode: 'repair' as const },
      next: ['2026-01-01T00:15:00.000Z'],
      running: [],
      runs: 1,
      skippedForOverlap: 0,
      missed: 0,
    };
    const done: LiveEvent = { kind: 'finished', result: result('succeeded', ALL_GOOD) };
    const lines = (more: object): string[] =>
      statusLines(report('COMPLETED', [done], { schedule: { ...schedule, ...more } }), OPTIONS).filter((line) =>
        line.startsWith('Drift'),
      );
    assert.deepEqual(lines({}), ['Drift runs: repair, every 15 min, the next at 2026-01-01T00:15:00.000Z.']);
    assert.deepEqual(lines({ paused: true, note: 'Paused via the UI' }), [
      'Drift runs are paused. Paused via the UI. To go on: npm run ananta -- drift resume --env sandbox',
    ]);
    assert.deepEqual((statusJson(report('COMPLETED', [done], { schedule })) as { schedule: unknown }).schedule, {
      mode: 'repair',
      everySeconds: 900,
      paused: false,
      note: '',
      next: ['2026-01-01T00:15:00.000Z'],
    });
  });

  test('one that runs but has lost a service is not in order', () =>
    assert.equal(inOrder(report('RUNNING', [...HALFWAY, ended(12, 'gitops', 'failed', 3)])), false));

  test('a component that is down is named, and what starts it', () => {
    const down = { ...COMPONENT, pid: null, healthy: false, detail: 'not running' };
    const lines = statusLines(
      report('COMPLETED', [{ kind: 'finished', result: result('succeeded', ALL_GOOD) }], { components: [down] }),
      OPTIONS,
    );
    assert.deepEqual(lines.slice(-5), [
      '1 of 1 components on this machine are down:',
      '  ✘ temporal  1.5.1  no process  port 7233  not running',
      '',
      'Next:',
      '  npm run ananta -- up --env sandbox   (starts what is down)',
    ]);
  });

  test('without an engine', () => {
    const lines = statusLines(
      { environment: 'sandbox', components: [], engineProblem: 'The engine does not answer: refused' },
      OPTIONS,
    );
    assert.deepEqual(lines, [
      'The engine does not answer: refused',
      '',
      'Next:',
      '  npm run ananta -- doctor --env sandbox   (what is there, what is missing)',
    ]);
  });

  test('as JSON', () => {
    const json = statusJson(report('RUNNING', HALFWAY)) as { deployment: { services: unknown[] } };
    assert.deepEqual(json.deployment.services.slice(1, 3), [
      { name: 'vault', phase: 1, state: 'healthy', seconds: 8, changed: true, detail: null },
      {
        name: 'identity',
        phase: 4,
        state: 'starting',
        seconds: null,
        changed: null,
        detail: 'waits for identity to be healthy',
      },
    ]);
    assert.deepEqual(statusJson({ environment: 'x', components: [] }), {
      environment: 'x',
      deployment: null,
      lock: null,
      queued: null,
      schedule: null,
      engine: 'reachable',
      components: [],
    });
  });
});

test('verify: the sick ones last, with what to do', () => {
  const row = (service: string, healthy: boolean): Parameters<typeof verificationLines>[1][number] => ({
    number: 1,
    phase: 1,
    service,
    namespace: 'n',
    healthy,
    proof: healthy ? 'GET / 200' : '',
    reason: healthy ? '' : '0/1 pods ready',
    warnings: service === 'redis' ? ['redis runs x: frozen'] : [],
  });
  assert.deepEqual(verificationLines('sandbox', [row('identity', false), row('vault', true)], plainStyle), [
    '✔ vault     GET / 200',
    '✘ identity  0/1 pods ready',
    '',
    '1 of 2 services of sandbox is not healthy.',
    'Next: npm run ananta -- logs helm identity --env sandbox   (what Helm said about identity)',
    'Next: npm run ananta -- deploy --env sandbox   (brings back what is missing)',
  ]);
  assert.deepEqual(verificationLines('sandbox', [row('redis', true)], plainStyle), [
    '✔ redis  GET / 200',
    '',
    '! redis runs x: frozen',
    '',
    'All 1 service of sandbox are healthy.',
  ]);
});
