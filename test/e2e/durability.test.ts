/** Worker, Helm or CLI dies in the middle of a deployment from a clean state, through the real CLI. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clearFailure, failRelease } from '../../bootstrap/cluster/index.ts';
import type { Facts } from '../support/sandbox/cluster-facts.ts';
import { assertAsAfterACleanRun, facts, killed, stateIs } from '../support/sandbox/durability.ts';
import { helmProcesses, waitForProcess } from '../support/programs/processes.ts';
import { MINI, resultOf, type Sandbox, withSandbox } from '../support/sandbox/sandbox.ts';

/** Slow enough that the deployment still runs when a process is killed. */
const SLOW = { ...MINI, simulation: { factor: 0.1, startupSeconds: { database: 60 } } };

/** Helm's logs by file; each release has one. */
async function helmLogs(sandbox: Sandbox): Promise<Map<string, string>> {
  const folder = join(sandbox.state, 'logs', 'helm');
  return new Map(
    await Promise.all(
      (await readdir(folder)).map(
        async (log): Promise<[string, string]> => [log, await readFile(join(folder, log), 'utf8')],
      ),
    ),
  );
}

/**
 * Kills Helm after it has written its pending record and before it ends; when it had ended already, the next one is
 * killed.
 */
async function killHelm(sandbox: Sandbox): Promise<void> {
  for (;;) {
    const { pid } = await waitForProcess(() => helmProcesses(sandbox.state), 60_000);
    await sleep(60);
    try {
      process.kill(pid, 'SIGKILL');
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

test('Helm killed in a first install; worker killed while Helm runs, between activities and during a wait; CLI killed and another attached; worker asked to stop', async () => {
  await withSandbox(SLOW, async (sandbox) => {
    const up = await sandbox.look(['up']);
    assert.equal(up.code, 0, up.stderr);
    // It is waited for until somebody is attached again, however busy the machine is.
    await sandbox.simulate((api) => failRelease(api, 'auth', 'never-ready'));
    const running = sandbox.start(['deploy', '--json']);
    const befores: Facts[] = [];

    await running.line(stateIs('vault', 'healthy'));
    await killHelm(sandbox);
    befores.push(await facts(sandbox));

    await running.line(stateIs('database', 'applying'));
    await waitForProcess(() => helmProcesses(sandbox.state), 60_000);
    await killed(sandbox, 'worker');
    befores.push(await facts(sandbox));

    await running.line(stateIs('storage', 'healthy'));
    await killed(sandbox, 'worker');
    befores.push(await facts(sandbox));

    await running.line(stateIs('auth', 'starting'));
    await sleep(700);
    await killed(sandbox, 'worker');
    befores.push(await facts(sandbox));

    running.kill('SIGKILL');
    await running.done;
    const attached = sandbox.start(['attach', '--json']);
    await attached.line(({ type }) => type === 'started');
    const logs = await helmLogs(sandbox);
    await sandbox.simulate((api) => clearFailure(api, 'auth'));
    await attached.line(stateIs('admin', 'applying'));
    await waitForProcess(() => helmProcesses(sandbox.state), 20_000);
    process.kill(await sandbox.pidOf('worker'), 'SIGTERM');

    const run = await attached.done;
    assert.equal(run.code, 0, run.stderr);
    await assertAsAfterACleanRun(sandbox, resultOf(run), ...befores);
    // Whoever is asked to stop lets its Helm end in good order.
    for (const [log, text] of await helmLogs(sandbox))
      assert.doesNotMatch(text.replace(logs.get(log) ?? '', ''), /has been cancelled/, log);
  });
});
