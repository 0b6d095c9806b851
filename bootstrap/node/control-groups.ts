/**
 * The control group above all pods of a real node: one of its own, so that what is left of them is not mistaken for
 * somebody else's.
 */
import { mkdir, readFile, readdir, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup';
/** Those that kubelet and runc use. */
const CONTROLLERS = ['cpu', 'cpuset', 'memory', 'pids', 'hugetlb', 'io'];

/** Safe to repeat. One group where control groups are unified, else one for each controller. */
export async function makeControlGroups(name: string): Promise<void> {
  const available = await readFile(join(ROOT, 'cgroup.controllers'), 'utf8').catch(() => undefined);
  if (available !== undefined) {
    const wanted = CONTROLLERS.filter((controller) => available.split(/\s+/).includes(controller))
      .map((controller) => `+${controller}`)
      .join(' ');
    await writeFile(join(ROOT, 'cgroup.subtree_control'), wanted);
    await mkdir(join(ROOT, name), { recursive: true });
    await writeFile(join(ROOT, name, 'cgroup.subtree_control'), wanted);
    return;
  }
  for (const controller of await controllers()) {
    const folder = join(ROOT, controller, name);
    await mkdir(folder, { recursive: true });
    // A new group has no processors and takes no process before it has.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const value = await readFile(join(ROOT, controller, file), 'utf8').catch(() => undefined);
      if (value !== undefined) await writeFile(join(folder, file), value);
    }
  }
}

/** What containers' limits need. */
const NEEDED = ['cpu', 'memory', 'pids'];
const NEEDED_APART = [...NEEDED, 'devices', 'freezer'];

/**
 * Tries a group of its own, which is gone at once. @returns controllers that are missing, or may not be used by this
 * process
 */
export async function lackingControllers(): Promise<string[]> {
  const name = `ananta-trial-${process.pid}`;
  const available = await readFile(join(ROOT, 'cgroup.controllers'), 'utf8').catch(() => undefined);
  if (available === undefined) {
    const lacking = await Promise.all(
      NEEDED_APART.map(async (controller) => ((await mayGroup(join(ROOT, controller, name))) ? [] : [controller])),
    );
    return lacking.flat();
  }
  if (!(await mayGroup(join(ROOT, name)))) return NEEDED;
  const control = join(ROOT, 'cgroup.subtree_control');
  const enabled = words(await readFile(control, 'utf8'));
  const lacking: string[] = [];
  for (const controller of NEEDED) {
    if (enabled.includes(controller)) continue;
    const may = await writeFile(control, `+${controller}`)
      .then(() => writeFile(control, `-${controller}`))
      .then(
        () => true,
        () => false,
      );
    if (!may) lacking.push(controller);
  }
  return lacking;
}

async function mayGroup(folder: string): Promise<boolean> {
  // A folder of the disk is no group: it has no list of processes.
  const may = await mkdir(folder)
    .then(async () => (await readFile(join(folder, 'cgroup.procs'))).length >= 0)
    .catch(() => false);
  await rmdir(folder).catch(() => undefined);
  return may;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Their processes have ended. */
export async function removeControlGroups(name: string): Promise<void> {
  for (const folder of [join(ROOT, name), ...(await controllers()).map((controller) => join(ROOT, controller, name))]) {
    // A group is busy for a moment after its last process.
    for (let tries = 0; (await isFolder(folder)) && tries < 100; tries += 1) {
      await removeGroup(folder);
      if (await isFolder(folder)) await sleep(50);
    }
  }
}

/** Folders of single controllers; links are second names. */
async function controllers(): Promise<string[]> {
  return (await readdir(ROOT, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function removeGroup(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => []))
    if (entry.isDirectory()) await removeGroup(join(folder, entry.name));
  await rmdir(folder).catch(() => undefined);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
