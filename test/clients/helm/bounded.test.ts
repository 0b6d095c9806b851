/**
 * A Helm process is ended when its time is over even if its worker is gone: with the system's own means, and without
 * them.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '../../../bootstrap/process/wait.ts';
import { boundSeconds, guarded, limitSeconds } from '../../../src/clients/helm/bounded.ts';
import { isSameProcessAlive, type ProcessIdentity, processIdentity } from '../../../src/process/identity.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guard-'));
});
after(() => rm(folder, { recursive: true, force: true }));

/** @param script of the shell that stands in for Helm */
async function startGuard(path: string, script: string, limitSeconds = 1): Promise<ChildProcess> {
  const [program, ...args] = await guarded(path, limitSeconds, 1);
  return spawn(program, [...args, '/bin/sh', '-c', script], {
    stdio: 'ignore',
    detached: true,
    env: { PATH: path },
  });
}

const RUNS_ON = 'while :; do /bin/sleep 0.05; done';

/**
 * @param onTerm what the process does on SIGTERM; its handler is set before it prints its process id, so that no signal
 * comes too early
 */
async function start(
  path: string,
  onTerm?: string,
  limitSeconds = 1,
): Promise<{ guard: ChildProcess; helm: ProcessIdentity }> {
  const pidFile = join(folder, String(Math.random()));
  const trap = onTerm === undefined ? '' : `trap '${onTerm}' TERM; `;
  const guard = await startGuard(path, `${trap}echo $$ > ${pidFile}; ${RUNS_ON}`, limitSeconds);
  const helm = await waitUntil('the program', { timeoutMs: 20_000 }, async () =>
    processIdentity(Number(await readFile(pidFile, 'utf8').catch(() => ''))),
  );
  return { guard, helm };
}

const ended = (helm: ProcessIdentity): Promise<true> =>
  waitUntil(
    'its end',
    { timeoutMs: 20_000, intervalMs: 20 },
    async () => !(await isSameProcessAlive(helm)) || undefined,
  );

for (const [what, path] of [
  ['with what the system has', process.env['PATH'] ?? ''],
  ['where the system has nothing for it', '/nowhere'],
] as const) {
  describe(`the guard of Helm, ${what}`, { concurrency: true }, () => {
    const end = async (script: string): Promise<unknown[]> => once(await startGuard(path, script, 600), 'exit');

    test('hands on how it ended', async () => {
      const pause = '/bin/sleep 0.3';
      assert.deepEqual(await end(`${pause}; exit 0`), [0, null]);
      assert.deepEqual(await end(`${pause}; exit 7`), [7, null]);
      assert.deepEqual(await end(`${pause}; kill -KILL $$`), [null, 'SIGKILL']);
    });

    test('asks one that hangs to end, and kills one that does not', async () => {
      assert.deepEqual(await once(await startGuard(path, RUNS_ON), 'exit'), [124, null]);
      const began = Date.now();
      const { guard, helm } = await start(path, '', 3);
      await Promise.all([once(guard, 'exit'), ended(helm)]);
      assert.ok(Date.now() - began >= 4000);
    });

    test('is asked itself: Helm is', async () => {
      const { guard, helm } = await start(path, 'exit 5', 600);
      process.kill(guard.pid!, 'SIGTERM');
      assert.deepEqual(await once(guard, 'exit'), [5, null]);
      await ended(helm);
    });

    test('ends also a Helm that stands still', async () => {
      const { guard, helm } = await start(path, undefined, 3);
      process.kill(helm.pid, 'SIGSTOP');
      await Promise.all([once(guard, 'exit'), ended(helm)]);
    });
  });
}

test('a guard that is killed takes Helm along', { skip: process.platform !== 'linux' }, async () => {
  const { guard, helm } = await start(process.env['PATH'] ?? '', '');
  process.kill(guard.pid!, 'SIGKILL');
  await ended(helm);
});

test('is over a while after the worker would have ended it', () => {
  assert.ok(limitSeconds(300) > 300);
  assert.ok(boundSeconds(0.2) > limitSeconds(0.2));
  // Other workers wait for Helm's timeout and one minute more.
  assert.ok(boundSeconds(300) < 360);
});
