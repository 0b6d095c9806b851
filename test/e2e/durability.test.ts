/** Worker, Helm or CLI dies in the middle of a deployment from a clean state, through the real CLI. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Facts } from '../support/cluster-facts.ts';
import { assertAsAfterACleanRun, deployUnder, facts, killed, stateIs } from '../support/durability.ts';
import { helmProcesses, waitForProcess } from '../support/processes.ts';
import { MINI, resultOf, withSandbox } from '../support/sandbox.ts';

/** Long enough to be waited for when the last blow comes. */
const SLOW = { ...MINI, simulation: { factor: 0.1, startupSeconds: { auth: 100 } } };

describe('durability', { concurrency: 1 }, () => {
  test('Helm killed in the middle of a first install; worker killed three times: while Helm runs, between activities, during a wait', async () => {
    await withSandbox(SLOW, async (sandbox) => {
      const befores: Facts[] = [];
      const result = await deployUnder(sandbox, async (running) => {
        await running.line(stateIs('vault', 'healthy'));
        const helm = await waitForProcess(() => helmProcesses(sandbox.state), 20_000);
        // Far enough for its pending record, not far enough for its end.
        await sleep(60);
        process.kill(helm.pid, 'SIGKILL');
        befores.push(await facts(sandbox));

        await running.line(stateIs('database', 'applying'));
        await waitForProcess(() => helmProcesses(sandbox.state), 20_000);
        await killed(sandbox, 'worker');
        befores.push(await facts(sandbox));

        await running.line(stateIs('storage', 'healthy'));
        await killed(sandbox, 'worker');
        befores.push(await facts(sandbox));

        await running.line(stateIs('auth', 'starting'));
        await sleep(700);
        await killed(sandbox, 'worker');
        befores.push(await facts(sandbox));
      });
      await assertAsAfterACleanRun(sandbox, result, ...befores);
    });
  });

  test('CLI killed: the deployment goes on, attach shows it to its end; a worker that is asked to stop meanwhile ends its Helm in good order, and the next one goes on', async () => {
    await withSandbox(SLOW, async (sandbox) => {
      const up = await sandbox.cli(['up']);
      assert.equal(up.code, 0, up.stderr);
      const running = sandbox.start(['deploy', '--json']);
      await running.line(stateIs('vault', 'healthy'));
      running.kill('SIGKILL');
      await running.done;
      const attached = sandbox.start(['attach', '--json']);
      await attached.line(stateIs('auth', 'starting'));
      // Of what comes after it, since it takes its time.
      await attached.line(stateIs('admin', 'applying'));
      await waitForProcess(() => helmProcesses(sandbox.state), 20_000);
      process.kill(await sandbox.pidOf('worker'), 'SIGTERM');
      const run = await attached.done;
      assert.equal(run.code, 0, run.stderr);
      await assertAsAfterACleanRun(sandbox, resultOf(run));
      const logs = join(sandbox.state, 'logs', 'helm');
      for (const log of await readdir(logs))
        assert.doesNotMatch(await readFile(join(logs, log), 'utf8'), /has been cancelled/, log);
    });
  });
});
