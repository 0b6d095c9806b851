import assert from 'node:assert/strict';
import { mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DaemonSpec,
  commandDigest,
  runningDaemon,
  startDaemon,
  stopDaemon,
} from '../../bootstrap/process/daemon.ts';
import { logTail, openLog } from '../../bootstrap/process/log-file.ts';
import { findProcesses } from '../../bootstrap/process/orphans.ts';

let folder: string;
before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'ananta-daemon-')));
});
after(() => rm(folder, { recursive: true, force: true }));

function specOf(name: string, script: string): DaemonSpec {
  return {
    name,
    command: process.execPath,
    args: ['-e', script, join(folder, name)],
    env: { GREETING: 'hello' },
    cwd: folder,
    logFile: join(folder, `${name}.log`),
    pidFile: join(folder, `${name}.json`),
    version: '1',
    port: null,
  };
}
const FOREVER = 'setInterval(() => {}, 1000); console.log(process.env.GREETING, process.env.PATH, process.ppid)';

async function printed(spec: DaemonSpec): Promise<string> {
  for (let tries = 0; tries < 3000; tries += 1) {
    const text = await readFile(spec.logFile, 'utf8');
    if (text.includes('\n')) return text;
    await sleep(20);
  }
  throw new Error('nothing was printed');
}

describe('a daemon', () => {
  test('has only the environment it is given, a private log, and a record that names it', async () => {
    const spec = specOf('plain', FOREVER);
    const record = await startDaemon(spec);
    assert.match(await printed(spec), /^hello undefined \d+\n/);
    assert.equal((await stat(spec.logFile)).mode & 0o777, 0o600);
    assert.equal((await stat(spec.pidFile)).mode & 0o777, 0o600);
    assert.deepEqual(await runningDaemon(spec.pidFile), record);
    assert.equal(record.digest, commandDigest(spec));
    assert.equal(await stopDaemon(spec.pidFile, 60_000), true);
    assert.equal(await runningDaemon(spec.pidFile), undefined);
    await assert.rejects(stat(spec.pidFile), { code: 'ENOENT' });
    assert.equal(await stopDaemon(spec.pidFile, 2_000), false);
  });

  test('that does not listen to TERM is killed when its grace is over, with what it started', async () => {
    const spec = specOf(
      'deaf',
      `process.on('SIGTERM', () => {}); const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '${join(folder, 'deaf', 'child')}'], { stdio: 'ignore' }); console.log(child.pid); setInterval(() => {}, 1000)`,
    );
    await startDaemon(spec);
    const child = Number(await printed(spec));
    const began = performance.now();
    await stopDaemon(spec.pidFile, 300);
    assert.ok(performance.now() - began >= 300);
    const left = async (): Promise<boolean> =>
      (await findProcesses({ folder: join(folder, 'deaf'), programs: [process.execPath] })).some(
        ({ pid }) => pid === child,
      );
    // A killed process can still be seen until the kernel has removed it.
    for (let look = 0; look < 1000 && (await left()); look += 1) await sleep(20);
    assert.equal(await left(), false);
  });

  test('is not mistaken for another process with its number', async () => {
    const spec = specOf('reused', FOREVER);
    const record = await startDaemon(spec);
    await writeFile(spec.pidFile, JSON.stringify({ ...record, startToken: `${record.startToken}0` }));
    assert.equal(await runningDaemon(spec.pidFile), undefined);
    assert.equal(await stopDaemon(spec.pidFile, 100), false);
    process.kill(record.pid, 0);
    process.kill(record.pid, 'SIGKILL');
  });

  test('a damaged record is as good as none', async () => {
    const pidFile = join(folder, 'damaged.json');
    await writeFile(pidFile, '{"pid": 1');
    assert.equal(await runningDaemon(pidFile), undefined);
  });

  test('a program that is not there is named', async () => {
    await assert.rejects(
      startDaemon({ ...specOf('absent', ''), command: '/nowhere/program' }),
      /absent could not be started \(\/nowhere\/program\)/,
    );
  });

  test('runs as it would be started now, or not', () => {
    const spec = specOf('digest', FOREVER);
    assert.notEqual(commandDigest(spec), commandDigest({ ...spec, args: [...spec.args, 'x'] }));
    assert.notEqual(commandDigest(spec), commandDigest({ ...spec, env: { GREETING: 'bye' } }));
    assert.equal(
      commandDigest({ ...spec, env: { A: '1', B: '2' } }),
      commandDigest({ ...spec, env: { B: '2', A: '1' } }),
    );
  });
});

describe('strays', () => {
  test('are found by program and folder, and only together', async () => {
    const spec = specOf('stray', FOREVER);
    const { pid } = await startDaemon(spec);
    await printed(spec);
    const found = async (below: string, programs: string[]): Promise<number[]> =>
      (await findProcesses({ folder: below, programs })).map((orphan) => orphan.pid);
    assert.deepEqual(await found(join(folder, 'stray'), [process.execPath]), [pid]);
    assert.deepEqual(await found(join(folder, 'stra'), [process.execPath]), []);
    assert.deepEqual(await found(join(folder, 'stray'), ['/bin/sh']), []);
    await stopDaemon(spec.pidFile, 1_000);
  });
});

describe('logs', () => {
  test('are moved aside when they have grown too large, and read from their end', async () => {
    const path = join(folder, 'large.log');
    await writeFile(path, Array.from({ length: 50 }, (_, line) => `line ${line}\n`).join(''));
    assert.deepEqual(await logTail(path, 2), ['line 48', 'line 49']);
    await (await openLog(path, 100)).close();
    assert.equal((await stat(path)).size, 0);
    assert.ok((await stat(`${path}.1`)).size > 100);
    assert.deepEqual(await logTail(join(folder, 'absent.log')), []);
  });
});
