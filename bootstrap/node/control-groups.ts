/** The control group above all pods of a real node: one of its own, so that what is left of them can be told from others'. */
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
    const wanted = CONTROLLERS.filter((controller) => available.split(/\s+/).includes(controller)).map((controller) => `+${controller}`).join(' ');
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
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) if (entry.isDirectory()) await removeGroup(join(folder, entry.name));
  await rmdir(folder).catch(() => undefined);
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then((found) => found.isDirectory(), () => false);
}
