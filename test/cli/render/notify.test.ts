import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '@temporalio/client';
import { tell } from '../../../src/cli/notify/run.ts';
import { deliveryLines, letterLines } from '../../../src/cli/notify/render.ts';
import { plainStyle } from '../../../src/cli/shared/terminal.ts';
import type { DeadLetter } from '../../../src/contract/notifications.ts';

const letter: DeadLetter = {
  id: '3f2a9c01',
  environment: 'prod',
  target: 'ops',
  at: '2026-11-30T12:00:00.000Z',
  attempts: 7,
  error: 'The webhook at chat.example answered 500',
  notification: {
    id: 'msg_1',
    event: 'failure',
    environment: 'prod',
    title: 'The deployment to prod failed',
    lines: [],
    workflowId: 'deploy/prod/1',
    runId: 'run-1',
    at: '2026-11-30T11:30:00.000Z',
  },
};

test('what nobody could be told: when, to whom, what, and what came back', () => {
  assert.deepEqual(letterLines('prod', [], 120), ['Everything that was to be told on prod was told.']);
  const lines = letterLines('prod', [letter], 160);
  assert.match(
    lines[1] ?? '',
    /^3f2a9c01 +2026-11-30 12:00:00 +ops +failure +7 +The deployment to prod failed: The webhook at chat\.example answered 500$/,
  );
  assert.equal(lines.at(-2), '1 notification of prod did not arrive.');
  assert.match(lines.at(-1) ?? '', /notify retry --all --env prod/);
  assert.ok(letterLines('prod', [letter], 60).every((line, index) => index > 1 || line.length <= 60));
});

test('what came back, a line each', () => {
  assert.deepEqual(
    deliveryLines(
      [
        { target: 'ops', delivered: true, attempts: 1, text: 'answered 200' },
        { target: 'pager', delivered: false, attempts: 1, text: 'ended with 7:\nno such channel' },
      ],
      plainStyle,
    ),
    ['told  ops: answered 200', 'not told  pager: ended with 7: no such channel'],
  );
});

test('Ctrl-C while it is being started ends the waiting for it', { timeout: 10_000 }, async () => {
  const interrupts = new AbortController();
  const start = (): Promise<unknown> => {
    interrupts.abort(new Error('SIGINT'));
    return Promise.resolve({ result: () => new Promise(() => undefined) });
  };
  const client = { workflow: { start } } as unknown as Client;
  const asked = { event: 'test' as const, title: 'Test', lines: [] };
  await assert.rejects(
    tell(client, { environment: 'prod', clusterUid: 'uid' }, asked, 'ann@host', interrupts.signal),
    /SIGINT/,
  );
});
