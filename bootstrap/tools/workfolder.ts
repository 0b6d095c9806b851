import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { killGroup } from '../process/children.ts';
import { isSameProcessAlive, ownIdentity, processIdentity } from '../process/identity.ts';
import type { ProcessIdentity } from '../process/identity.ts';
import { sweepLocks } from '../process/lock.ts';
import { lockFolder, workRoot } from './layout.ts';

/*
 * A work folder's name says whose it is, so that there is no moment in which one exists without an owner.
 */

const CHILD_RECORD = 'child.json';

function folderName(owner: ProcessIdentity): string {
  return `${owner.pid}~${encodeURIComponent(owner.startToken)}~${randomBytes(6).toString('hex')}`;
}

function ownerOf(name: string): ProcessIdentity | undefined {
  const [pid, token, random] = name.split('~');
  if (pid === undefined || token === undefined || random === undefined || !/^\d+$/.test(pid)) return undefined;
  return { pid: Number(pid), startToken: decodeURIComponent(token) };
}

/** Runs `fn` with an empty folder on the cache's own file system; the folder is gone afterwards, whatever happens. */
export async function withWorkFolder<T>(cacheDir: string, fn: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(workRoot(cacheDir), folderName(await ownIdentity()));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    return await fn(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Notes a process group that works in the folder, so that a later run can end it if this process is killed. */
export async function recordChild(folder: string, pid: number): Promise<void> {
  const identity = await processIdentity(pid);
  if (identity !== undefined) await writeFile(join(folder, CHILD_RECORD), JSON.stringify(identity));
}

async function endRecordedChild(folder: string): Promise<void> {
  const text = await readFile(join(folder, CHILD_RECORD), 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const child = JSON.parse(text) as ProcessIdentity;
  if (await isSameProcessAlive(child)) killGroup(child.pid);
}

/**
 * Removes what dead processes left behind, together with their orphaned children. What belongs to living ones stays.
 */
export async function sweepLeftovers(cacheDir: string): Promise<void> {
  const root = workRoot(cacheDir);
  const names = await readdir(root).catch(() => []);
  for (const name of names) {
    const owner = ownerOf(name);
    if (owner === undefined || (await isSameProcessAlive(owner))) continue;
    const folder = join(root, name);
    // A record cut off by the crash names nobody; the folder goes all the same.
    await endRecordedChild(folder).catch(() => undefined);
    // Another run may be sweeping it at the same moment, or a killed child be writing its last file.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
  }
  await sweepLocks(lockFolder(cacheDir)).catch(() => undefined);
}
