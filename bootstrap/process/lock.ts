import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readlink, symlink, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSameProcessAlive, ownIdentity } from './identity.ts';
import type { ProcessIdentity } from './identity.ts';

/*
 * Own code: libraries such as proper-lockfile take a lock for stale by its age; here a stopped process keeps its lock
 * for
 * as long as it lives, and a dead one loses it at once.
 *
 * A lock is a symbolic link whose target is not a path but the holder, `pid:startToken:nonce`. Making one is atomic
 * together with its content and needs no temporary file, so a crash leaves either nothing or a complete lock.
 *
 * A dead holder's lock is removed under a second lock beside it (`<path>.steal`) and only if it still reads the same:
 * without that, a slow process could remove the lock that a faster one just took. The second lock is taken the same
 * way, so a crash in the middle of that is healed by the same rule, one level up.
 */

/** A lock that this process holds. */
export interface HeldLock {
  path: string;
  /** Gives the lock back; harmless when called again. */
  release(): Promise<void>;
}

export type TryLockResult = { held: true; lock: HeldLock } | { held: false; holder: ProcessIdentity };

export interface WithLockOptions {
  /** Called once for each holder that is waited for. */
  onWait?: ((holder: ProcessIdentity) => void) | undefined;
  /** Ends the waiting (not the work) with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const POLL_MILLISECONDS = 100;

function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function parseHolder(target: string): ProcessIdentity | undefined {
  const match = /^(\d+):(.+):[^:]+$/.exec(target);
  return match === null ? undefined : { pid: Number(match[1]), startToken: match[2] as string };
}

async function readTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    if (errorCode(error) === 'EINVAL') throw new Error(`${path} is in the way: a lock belongs there, remove it`);
    throw error;
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
}

async function tryCreate(path: string, target: string): Promise<boolean> {
  try {
    await symlink(target, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function heldLock(path: string, target: string): HeldLock {
  let released: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    if ((await readTarget(path)) === target) await unlinkIfThere(path);
  };
  return { path, release: () => (released ??= release()) };
}

/** Removes the lock if it is still the dead one that was seen; false when somebody living is at it already. */
async function removeDead(path: string, target: string): Promise<TryLockResult | undefined> {
  const steal = await take(`${path}.steal`);
  if (!steal.held) return steal;
  try {
    if ((await readTarget(path)) === target) await unlinkIfThere(path);
  } finally {
    await steal.lock.release();
  }
  return undefined;
}

async function take(path: string): Promise<TryLockResult> {
  const me = await ownIdentity();
  const target = `${me.pid}:${me.startToken}:${randomUUID()}`;
  for (;;) {
    if (await tryCreate(path, target)) return { held: true, lock: heldLock(path, target) };
    const found = await readTarget(path);
    if (found === undefined) continue;
    const holder = parseHolder(found);
    if (holder !== undefined && (await isSameProcessAlive(holder))) return { held: false, holder };
    const busy = await removeDead(path, found);
    if (busy !== undefined) return busy;
  }
}

/**
 * Takes the lock if it is free or its holder is dead; never waits. Age plays no part: a living holder keeps it. The
 * folder is made if it is missing. Two calls in one process exclude each other too.
 */
export async function tryLock(path: string): Promise<TryLockResult> {
  await mkdir(dirname(path), { recursive: true });
  return take(path);
}

/** Who holds the lock now; undefined when nobody living does. */
export async function lockHolder(path: string): Promise<ProcessIdentity | undefined> {
  const target = await readTarget(path);
  const holder = target === undefined ? undefined : parseHolder(target);
  return holder !== undefined && (await isSameProcessAlive(holder)) ? holder : undefined;
}

/**
 * Runs `fn` while holding the lock, waiting for it as long as a living process has it.
 * @throws the signal's reason when it is aborted while waiting; otherwise whatever `fn` throws, the lock released.
 */
export async function withLock<T>(path: string, options: WithLockOptions, fn: () => Promise<T>): Promise<T> {
  let waitedFor: string | undefined;
  for (;;) {
    options.signal?.throwIfAborted();
    const result = await tryLock(path);
    if (result.held) {
      try {
        return await fn();
      } finally {
        await result.lock.release();
      }
    }
    const holder = `${result.holder.pid}:${result.holder.startToken}`;
    if (holder !== waitedFor) options.onWait?.(result.holder);
    waitedFor = holder;
    await sleep(POLL_MILLISECONDS, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(
      () => undefined,
    );
  }
}

/**
 * Removes the locks of dead processes from a folder that holds nothing but locks. They block nobody, but look like held
 * locks.
 */
export async function sweepLocks(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const result = await tryLock(join(folder, name));
    if (result.held) await result.lock.release();
  }
}
