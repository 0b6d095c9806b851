import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPatience } from '../../src/effects/wait/patience.ts';

const signal = new AbortController().signal;

describe('patience', () => {
  test('counts time, its own and that of earlier attempts', async () => {
    const patience = createPatience({ limitSeconds: 10, spentSeconds: 9.95, counts: () => true, signal });
    assert.equal(patience.isOver(), false);
    await patience.pause(60_000);
    assert.equal(patience.isOver(), true);
    // No longer than what was left, whatever else the machine does.
    assert.ok(patience.spent() >= 10 && patience.spent() < 40, String(patience.spent()));
  });

  test('time in which the cluster cannot be seen does not count', async () => {
    let live = false;
    const patience = createPatience({ limitSeconds: 0.05, spentSeconds: 0, counts: () => live, signal });
    await sleep(80);
    assert.equal(patience.isOver(), false);
    live = true;
    assert.equal(patience.isOver(), false);
    await sleep(60);
    assert.equal(patience.isOver(), true);
  });

  test('a change ends the pause, also one that came before it began', async () => {
    const patience = createPatience({ limitSeconds: 60, spentSeconds: 0, counts: () => true, signal });
    const began = performance.now();
    setTimeout(() => {
      patience.wake();
    }, 20);
    await patience.pause(5000);
    patience.wake();
    await patience.pause(5000);
    assert.ok(performance.now() - began < 1000);
  });

  test('cancellation ends it with its reason', async () => {
    const controller = new AbortController();
    const patience = createPatience({
      limitSeconds: 60,
      spentSeconds: 0,
      counts: () => true,
      signal: controller.signal,
    });
    setTimeout(() => {
      controller.abort(new Error('stop'));
    }, 20);
    await assert.rejects(patience.pause(5000), /stop/);
    await assert.rejects(patience.pause(5000), /stop/);
  });
});
