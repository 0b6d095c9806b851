/**
 * Takes away everything that a real node has on the machine beside its folder: containers with their shims, processes,
 * namespaces with all mounts in them, the link, the table of nftables, control groups. What belongs to it is
 * recognised by its namespaces and names, not by records: so what a killed process has left is found as well.
 */
import { readFile, readdir, readlink, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProcessIdentity, isSameProcessAlive, processIdentity } from '../process/identity.ts';
import { withLock } from '../process/lock.ts';
import { removeControlGroups } from './control-groups.ts';
import { exists, isMountPoint, isNamespace, namespaceNumber, namespaceOf } from './namespaces.ts';
import type { NodeLayout } from './layout.ts';
import { command } from './machine.ts';
import { readNodeRecord, writeNodeRecord } from './record.ts';
import { closeWayOut } from './way-out.ts';

const SHIM = 'containerd-shim-runc-v2';
/** Databases write what they hold. */
const CONTAINER_GRACE_MS = 10_000;
const GONE_WITHIN_MS = 10_000;

interface Seen extends ProcessIdentity {
  parent: number;
  program: string;
  /** In one of the node's namespaces. */
  inside: boolean;
}

/** Whether anything of a node may be there at all. */
export async function hasNode(layout: NodeLayout): Promise<boolean> {
  return exists(layout.root);
}

/**
 * Ends the containers: those whose process 1 does not go by itself are killed. kubelet must not run any more, or it
 * starts them again.
 */
export async function endContainers(layout: NodeLayout): Promise<void> {
  const first = await containers(layout);
  const sleepers = first.filter(({ program }) => program === 'pause');
  const workers = first.filter(({ program }) => program !== 'pause');
  for (const { pid } of workers) signal(pid, 'SIGTERM');
  await gone(workers, CONTAINER_GRACE_MS);
  for (const { pid } of [...workers, ...sleepers]) signal(pid, 'SIGKILL');
  await gone([...workers, ...sleepers], GONE_WITHIN_MS);
}

/** Nothing may use the node any more, except what is ended here. */
export async function removeNodeNamespaces(layout: NodeLayout): Promise<void> {
  if (!(await hasNode(layout))) return;
  await withLock(layout.lock, {}, async () => {
    await killAll(layout);
    if (await exists(`/sys/class/net/${layout.link}`)) await command('ip', ['link', 'delete', layout.link]);
    if (await isNamespace(layout.mnt)) await command('umount', [layout.mnt]);
    if (await isNamespace(layout.net)) await command('umount', [layout.net]);
    // Several when somebody was killed between looking and mounting.
    while (await isMountPoint(layout.namespaces)) await command('umount', [layout.namespaces]);
    await closeWayOut(layout);
    await removeControlGroups(layout.cgroup);
    await removeFolders(layout);
  });
}

/** State that describes running pods is of no use without them; images, volumes, logs and what kubelet knows stay. */
const PASSING = ['run', 'cni', 'ns'];

async function removeFolders(layout: NodeLayout): Promise<void> {
  for (const folder of PASSING) await rm(join(layout.root, folder), { recursive: true, force: true });
  const record = await readNodeRecord(layout);
  if (record === undefined) return;
  // Innermost first; one that somebody else uses by now stays.
  for (const folder of [...record.folders].reverse()) await rmdir(folder).catch(() => undefined);
  await writeNodeRecord(layout, { ...record, folders: [] });
}

/** Shims and containers, and whatever is in the node's namespaces, until there is nothing any more. */
async function killAll(layout: NodeLayout): Promise<void> {
  const deadline = performance.now() + GONE_WITHIN_MS;
  for (;;) {
    const left = await belonging(layout);
    if (left.length === 0) return;
    if (performance.now() > deadline)
      throw new Error(
        `processes of the real node do not end: ${left.map(({ pid, program }) => `${program} (${pid})`).join(', ')}`,
      );
    for (const { pid } of left) signal(pid, 'SIGKILL');
    await gone(left, 1_000);
  }
}

/** Process 1 of each container. */
async function containers(layout: NodeLayout): Promise<Seen[]> {
  const all = await look(layout);
  const shims = new Set(all.filter(({ inside, program }) => inside && program === SHIM).map(({ pid }) => pid));
  return all.filter(({ parent }) => shims.has(parent));
}

/** All processes of the node: in its namespaces, or below one that is. */
export async function belonging(layout: NodeLayout): Promise<Seen[]> {
  const all = await look(layout);
  const found = new Map(all.filter(({ inside }) => inside).map((seen) => [seen.pid, seen]));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const seen of all) if (found.has(seen.parent)) found.set(seen.pid, seen);
  }
  return [...found.values()];
}

async function look(layout: NodeLayout): Promise<Seen[]> {
  const [net, mnt] = await Promise.all([namespaceNumber(layout.net), namespaceNumber(layout.mnt)]);
  const found = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map(async (name): Promise<Seen[]> => {
        try {
          const identity = await processIdentity(Number(name));
          if (identity === undefined) return [];
          const [ownNet, ownMnt, program, text] = await Promise.all([
            namespaceOf(name, 'net'),
            namespaceOf(name, 'mnt'),
            readlink(`/proc/${name}/exe`),
            readFile(`/proc/${name}/stat`, 'utf8'),
          ]);
          const parent = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
          return [
            {
              ...identity,
              parent,
              program: basename(program),
              inside: (net !== undefined && ownNet === net) || (mnt !== undefined && ownMnt === mnt),
            },
          ];
        } catch {
          // A thread of the kernel, or gone meanwhile.
          return [];
        }
      }),
  );
  return found.flat();
}

async function gone(processes: readonly ProcessIdentity[], withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    const alive = await Promise.all(processes.map((process) => isSameProcessAlive(process)));
    if (!alive.includes(true)) return;
    await sleep(50);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
