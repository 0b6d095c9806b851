import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isAlive, isReady, serveHealth, type WorkerState } from '../src/worker-health.ts';

const NOW = 1_000_000;

describe('a worker in the cluster', () => {
  const cases: [string, WorkerState, alive: boolean, ready: boolean][] = [
    ['has just started', { state: 'RUNNING', seenAt: undefined }, true, false],
    ['asks for work', { state: 'RUNNING', seenAt: NOW - 30_000 }, true, true],
    ['has lost its engine', { state: 'RUNNING', seenAt: NOW - 300_000 }, true, false],
    ['ends what it has begun', { state: 'DRAINING', seenAt: NOW }, true, false],
    ['has given up', { state: 'FAILED', seenAt: NOW }, false, false],
  ];
  for (const [name, state, alive, ready] of cases) {
    test(name, () => {
      assert.deepEqual([isAlive(state).ok, isReady(state, NOW).ok], [alive, ready]);
    });
  }

  test('answers the kubelet', async () => {
    let state: WorkerState = { state: 'RUNNING', seenAt: undefined };
    const server = await serveHealth(0, () => state);
    const ask = async (path: string): Promise<[number, string]> => {
      const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
      return [answer.status, (await answer.text()).trim()];
    };
    try {
      assert.deepEqual(await ask('/ready'), [503, 'the engine has not heard from this worker yet']);
      assert.deepEqual(await ask('/live'), [200, 'RUNNING']);
      state = { state: 'RUNNING', seenAt: Date.now() };
      assert.deepEqual(await ask('/ready'), [200, 'asks the engine for work']);
      assert.equal((await ask('/elsewhere'))[0], 404);
    } finally {
      server.close();
    }
  });
});
