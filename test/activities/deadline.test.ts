import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDeadline } from '../../src/effects/wait/deadline.ts';

const signal = new AbortController().signal;

describe('deadline', () => {
  test('counts time, its own and that of earlier attempts', async () => {
    const deadline = createDeadline({ limitSeconds: 10, spentSeconds: 9.95, counts: () => true, signal });
    assert.equal(deadline.isOver(), false);
    await deadline.pause(60_000);
    assert.equal(deadline.isOver(), true);
    // Waits no longer than the time that was left, however busy the machine is.
    assert.ok(deadline.spent() >= 10 && deadline.spent() < 40, String(deadline.spent()));
  });

  test('time in which the cluster cannot be seen does not count', async () => {
    let live = false;
    const deadline = createDeadline({ limitSeconds: 0.05, spentSeconds: 0, counts: () => live, signal });
    await sleep(80);
    assert.equal(deadline.isOver(), false);
    live = true;
    assert.equal(deadline.isOver(), false);
    await sleep(60);
    assert.equal(deadline.isOver(), true);
  });

  test('a change ends the pause, also one that came before it began', async () => {
    const deadline = createDeadline({ limitSeconds: 600, spentSeconds: 0, counts: () => true, signal });
    const began = performance.now();
    setTimeout(() => {
      deadline.wake();
    }, 20);
    await deadline.pause(60_000);
    deadline.wake();
    await deadline.pause(60_000);
    assert.ok(performance.now() - began < 50_000);
  });

  test('cancellation ends it with its reason', async () => {
    const controller = new AbortController();
    const deadline = createDeadline({
      limitSeconds: 60,
      spentSeconds: 0,
      counts: () => true,
      signal: controller.signal,
    });
    setTimeout(() => {
      controller.abort(new Error('stop'));
    }, 20);
    await assert.rejects(deadline.pause(5000), /stop/);
    await assert.rejects(deadline.pause(5000), /stop/);
  });
});
