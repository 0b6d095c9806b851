import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSameProcessAlive, ownIdentity, processIdentity } from '../../../bootstrap/process/identity.ts';
import { lockHolder, sweepLocks, tryLock, withLock } from '../../../bootstrap/process/lock.ts';
import { eventually } from '../../support/eventually.ts';

const child = new URL('lock-child.ts', import.meta.url).pathname;

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [child, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function startHolder(path: string): Promise<ChildProcess> {
  const holder = start(path, 'hold');
  await once(holder.stdout!, 'data');
  return holder;
}

async function kill(process: ChildProcess): Promise<void> {
  const gone = once(process, 'exit');
  process.kill('SIGKILL');
  await gone;
}

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ananta-lock-'));
});
after(() => rm(folder, { recursive: true, force: true }));

describe('process identity', () => {
  it('tells a living process from one that is gone', async () => {
    const holder = await startHolder(join(folder, 'identity'));
    const identity = await processIdentity(holder.pid!);
    assert.ok(identity);
    assert.equal(await isSameProcessAlive(identity), true);
    await kill(holder);
    assert.equal(await isSameProcessAlive(identity), false);
    assert.equal(await processIdentity(holder.pid!), undefined);
  });

  it('does not take another process with the same number for the first', async () => {
    const own = await ownIdentity();
    assert.equal(await isSameProcessAlive(own), true);
    assert.equal(await isSameProcessAlive({ ...own, startToken: `${own.startToken}0` }), false);
  });

  it('counts a zombie as gone', { skip: process.platform !== 'linux' }, async () => {
    // sh becomes sleep, which never reaps the child that sh left it.
    const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    await eventually(async () => assert.match(await readFile(`/proc/${Number(line)}/stat`, 'utf8'), /\) Z /));
    assert.equal(await processIdentity(Number(line)), undefined);
    await kill(parent);
  });
});

describe('lock', () => {
  it('excludes a second taker in the same process, until released', async () => {
    const path = join(folder, 'sub', 'same');
    const first = await tryLock(path);
    assert.ok(first.held);
    const second = await tryLock(path);
    assert.equal(second.held, false);
    assert.deepEqual(await lockHolder(path), await ownIdentity());
    await first.lock.release();
    await first.lock.release();
    const third = await tryLock(path);
    assert.ok(third.held);
    await third.lock.release();
    assert.deepEqual(await readdir(join(folder, 'sub')), []);
  });

  it('names a living holder, waits for it, and takes over when it is killed', async () => {
    const path = join(folder, 'killed');
    const holder = await startHolder(path);
    const waits: number[] = [];
    const taken = withLock(path, { onWait: ({ pid }) => waits.push(pid) }, async () => 'mine');
    await eventually(() => assert.deepEqual(waits, [holder.pid]));
    await kill(holder);
    assert.equal(await taken, 'mine');
    assert.equal(await lockHolder(path), undefined);
  });

  it('stops waiting when told to', async () => {
    const path = join(folder, 'aborted');
    const holder = await startHolder(path);
    const signal = AbortSignal.timeout(150);
    await assert.rejects(
      withLock(path, { signal }, async () => 'never'),
      { name: 'TimeoutError' },
    );
    await kill(holder);
  });

  it('is released when the work throws', async () => {
    const path = join(folder, 'throws');
    await assert.rejects(
      withLock(path, {}, () => Promise.reject(new Error('work'))),
      /work/,
    );
    assert.equal(await lockHolder(path), undefined);
  });

  it('heals a crash in the middle of taking over', async () => {
    const path = join(folder, 'crashed');
    const dead = await startHolder(join(folder, 'other'));
    const identity = await processIdentity(dead.pid!);
    await kill(dead);
    await symlink(`${identity!.pid}:${identity!.startToken}:a`, path);
    await symlink(`${identity!.pid}:${identity!.startToken}:b`, `${path}.steal`);
    const result = await tryLock(path);
    assert.ok(result.held);
    await result.lock.release();
  });

  it('refuses what is not a lock of ours, and takes over one that it cannot read', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await assert.rejects(tryLock(file), /in the way/);
    const strange = join(folder, 'strange');
    await symlink('nonsense', strange);
    assert.equal((await tryLock(strange)).held, true);
  });

  it('of a dead process is swept away, of a living one not', async () => {
    const locks = join(folder, 'locks');
    const dead = await startHolder(join(locks, 'dead'));
    const living = await tryLock(join(locks, 'living'));
    await kill(dead);
    await sweepLocks(locks);
    await sweepLocks(join(folder, 'absent'));
    assert.deepEqual(await readdir(locks), ['living']);
    if (living.held) await living.lock.release();
  });

  it('lets one process in at a time while others contend and die', async () => {
    const path = join(folder, 'contended');
    const log = join(folder, 'contended.log');
    const dead = await startHolder(path);
    const workers = Array.from({ length: 4 }, () => start(path, 'count', log));
    const ends = Promise.all(workers.map((worker) => once(worker, 'exit')));
    await sleep(300);
    await kill(dead);
    await ends;
    const lines = (await readFile(log, 'utf8')).trim().split('\n');
    assert.equal(lines.length, 80);
    for (let at = 0; at < lines.length; at += 2) {
      assert.equal(lines[at]!.replace('in', 'out'), lines[at + 1]);
    }
  });
});
