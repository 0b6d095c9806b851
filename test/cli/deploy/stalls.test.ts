import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchStalls } from '../../../src/cli/deploy/stalls.ts';
import type { LockHolder } from '../../../src/contract/lock.ts';

const HOLDER: LockHolder = {
  workflowId: 'deploy/shop/uid',
  runId: 'ours',
  since: '2026-11-30T12:00:00.000Z',
  workers: 1,
  operation: 'deploy',
  requestedBy: 'me@here',
};
const STALLED: LockHolder = { ...HOLDER, workers: 0, stalled: 'no worker is there' };

/** @param looks what each look finds, or how long there was no progress @returns the lines that were printed */
async function said(looks: readonly { quiet?: number; holder?: LockHolder | Error }[]): Promise<string[]> {
  const lines: string[] = [];
  const over = new AbortController();
  let index = -1;
  await watchStalls({
    runId: 'ours',
    quietFor: () => {
      index += 1;
      if (index < looks.length) return looks[index]?.quiet ?? 60_000;
      over.abort();
      return 0;
    },
    holder: async () => {
      await sleep(1);
      const { holder } = looks[index] ?? {};
      if (holder instanceof Error) throw holder;
      return holder;
    },
    describe: ({ stalled }) => (stalled === undefined ? [] : [`It does not move: ${stalled}.`, 'Next: a worker']),
    say: (line) => lines.push(line),
    signal: over.signal,
    everyMs: 1,
  });
  return lines;
}

const TOLD = ['It does not move: no worker is there.', 'Next: a worker'];

test('that nobody works on the operation is said once, and that it moves again', async () => {
  assert.deepEqual(await said([{ holder: HOLDER }, { holder: STALLED }, { holder: STALLED }, { holder: HOLDER }]), [
    ...TOLD,
    'It moves again.',
  ]);
});

test('an event says that it moves again, without a look', async () => {
  assert.deepEqual(await said([{ holder: STALLED }, { quiet: 100 }]), [...TOLD, 'It moves again.']);
});

test('nothing is asked while events come, and another run that holds the lock is not meant', async () => {
  assert.deepEqual(await said([{ quiet: 100, holder: STALLED }, { holder: { ...STALLED, runId: 'theirs' } }]), []);
});

test('of an engine that does not answer nothing is said', async () => {
  const lines = await said([{ holder: STALLED }, { holder: new Error('unavailable') }, { holder: STALLED }]);
  assert.deepEqual(lines.slice(0, 2), TOLD);
  assert.equal(lines.filter((line) => line === TOLD[0]).length, 1);
});
