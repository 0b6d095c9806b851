/** Waits on a busy machine: they go on as long as there is progress, and end with the reason when there is none. */
import assert from 'node:assert/strict';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type Api } from '../../bootstrap/cluster/api.ts';
import { awaitUsable } from '../../bootstrap/cluster/contents.ts';
import { awaitReadyOrRestart, type Component } from '../../bootstrap/component.ts';
import { runningDaemon, startDaemon, stopDaemon } from '../../bootstrap/process/daemon.ts';
import { vitalsOf } from '../../bootstrap/process/vitals.ts';
import { waitWhileMoving } from '../../bootstrap/process/wait.ts';
import type { LocalStackEvent } from '../../bootstrap/report.ts';

const COMPUTES = 'for (;;) Math.random();';
const WRITES = "setInterval(() => console.log('another step'), 50);";
const IDLES = 'setInterval(() => {}, 1000);';

let folder: string;
before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'ananta-standstill-')));
});
after(() => rm(folder, { recursive: true, force: true }));

/** A component that runs a Node script, and counts as started once `check` passes. */
function componentOf(
  name: string,
  script: string,
  check: () => Promise<string>,
  more: Partial<Component> = {},
): Component {
  return {
    name: 'kube-controller-manager',
    standstillMs: 1500,
    graceMs: 1000,
    check,
    spec: {
      name,
      command: process.execPath,
      args: ['-e', script, join(folder, name)],
      env: {},
      cwd: folder,
      logFile: join(folder, `${name}.log`),
      pidFile: join(folder, `${name}.json`),
      version: '1',
      port: null,
    },
    ...more,
  };
}

const refuses = (): Promise<string> => Promise.reject(new Error('connection refused'));

async function ready(component: Component): Promise<{ detail: string; events: LocalStackEvent[] }> {
  const events: LocalStackEvent[] = [];
  const record = await startDaemon(component.spec);
  try {
    const detail = await awaitReadyOrRestart(component, record, {
      report: (event) => events.push(event),
      signal: undefined,
    });
    return { detail, events };
  } finally {
    await stopDaemon(component.spec.pidFile, 500);
  }
}

describe('a wait', { concurrency: true }, () => {
  const wait = (signs: () => string, longestMs = 60_000, standstillMs = 600): Promise<unknown> =>
    waitWhileMoving(
      'the thing',
      { standstillMs, intervalMs: 20, signs: () => Promise.resolve(signs()), longestMs: () => longestMs },
      () => Promise.resolve(undefined),
    );

  test('ends when nothing has changed for so long, and says what stands still', async () => {
    await assert.rejects(
      wait(() => 'process 7 does nothing'),
      {
        name: 'WaitTimeoutError',
        message: 'the thing: nothing has changed for 1 s (process 7 does nothing)',
      },
    );
  });

  test('goes on while something changes, and still ends', async () => {
    const began = performance.now();
    await assert.rejects(
      wait(() => String(performance.now()), 1500),
      { name: 'WaitTimeoutError', message: /^the thing: not within [12] s \(/ },
    );
    assert.ok(performance.now() - began >= 1500);
  });

  test('ends with the signal', async () => {
    const options = { standstillMs: 60_000, signs: () => Promise.resolve(''), signal: AbortSignal.timeout(50) };
    await assert.rejects(
      waitWhileMoving('x', options, () => Promise.resolve(undefined)),
      /abort/i,
    );
  });
});

describe('a component that starts slowly', { concurrency: true }, () => {
  test('is waited for while something of it moves, whatever the clock says', async () => {
    const began = performance.now();
    const works = (): Promise<string> => (performance.now() - began < 3000 ? refuses() : Promise.resolve('at last'));
    assert.equal((await ready(componentOf('writes', WRITES, works))).detail, 'at last');
  });

  test('is given up when it does nothing any more, with what was asked and where its log is', async () => {
    await assert.rejects(ready(componentOf('idles', IDLES, refuses)), (error: Error) => {
      assert.match(
        error.message,
        /kube-controller-manager: it was started, and does not work: nothing has changed for 2 s/,
      );
      assert.match(error.message, /\(connection refused; process \d+ has computed for [\d.]+ s and written 0 bytes/);
      assert.match(error.message, /Its log: .*idles\.log/);
      return true;
    });
  });

  test('is started again when it ends meanwhile, and works then', async () => {
    const ends = componentOf('gives-up', 'setTimeout(() => process.exit(1), 100)', refuses, { restarts: 3 });
    let starts = 0;
    ends.prepare = () => {
      starts += 1;
      if (starts === 2) ends.check = () => Promise.resolve('works');
      return Promise.resolve();
    };
    const { detail, events } = await ready(ends);
    assert.deepEqual(
      [detail, events.map((event) => event.kind === 'component' && event.state)],
      ['works', ['died', 'died']],
    );
  });

  test('is not started again without end', async () => {
    const ends = componentOf('ends', 'process.exit(1)', refuses, { restarts: 1 });
    await assert.rejects(ready(ends), { name: 'ComponentError', message: /it ended right after its start/ });
    assert.equal(await runningDaemon(ends.spec.pidFile), undefined);
  });
});

describe('a cluster that is to be usable', { concurrency: true }, () => {
  /** @param accountAfterMs when the default service account appears; the first two answers are errors of the server */
  function apiWith(accountAfterMs: number): Pick<Api, 'request'> {
    const began = performance.now();
    let asked = 0;
    return {
      request: (_method, path) => {
        asked += 1;
        if (asked < 3) return Promise.reject(new ApiError(503, 'not now'));
        if (path.includes('/nodes'))
          return Promise.resolve({ items: [{ status: { conditions: [{ type: 'Ready', status: 'True' }] } }] });
        return performance.now() - began < accountAfterMs
          ? Promise.reject(new ApiError(404, 'not found'))
          : Promise.resolve({});
      },
    };
  }

  test('its service account may take its time while the controllers move', async () => {
    await awaitUsable(apiWith(1500), 1, () => Promise.resolve(String(performance.now())), undefined, 500);
  });

  test('the end names who makes it, and that it does not run', async () => {
    await assert.rejects(
      awaitUsable(apiWith(Infinity), 1, (name) => Promise.resolve(`${name} does not run`), undefined, 500),
      /the default service account: nothing has changed for 1 s \(kube-controller-manager makes it: kube-controller-manager does not run\)/,
    );
  });
});

test('signs of life: what it computes and writes; of one that has ended, that it does not run', async () => {
  const { spec } = componentOf('vitals', COMPUTES, refuses);
  await startDaemon(spec);
  const first = await vitalsOf(spec);
  for (let tries = 0; tries < 100 && (await vitalsOf(spec)) === first; tries += 1) await sleep(100);
  assert.notEqual(await vitalsOf(spec), first);
  await stopDaemon(spec.pidFile, 500);
  assert.match(await vitalsOf(spec), /^it does not run; its log: .*vitals\.log$/);
});
