/**
 * What each test file takes of the processors, with everything that it starts: a control group of its own for each,
 * which processes in the background stay in and which counts also those that were killed. A machine whose control
 * groups are not ours to make (most users', some containers') does without.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessorTime {
  /** A process that writes its number in here is counted from then on, with all that it starts. */
  joinFile: string;
  /** CPU seconds so far, of all processors. */
  seconds: () => number;
  /** Once its processes have ended. */
  remove: () => Promise<void>;
}

/** Where control groups lie, by version, and what counts there. */
const HIERARCHIES = [
  { controller: 'cpuacct', mounts: ['/sys/fs/cgroup/cpuacct', '/sys/fs/cgroup/cpu,cpuacct'], read: ofVersion1 },
  { controller: '', mounts: ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'], read: ofVersion2 },
] as const;
const REMOVAL_LOOKS = 20;

let made = 0;

/** @returns undefined where no control group can be made */
export function countProcessorTime(): ProcessorTime | undefined {
  for (const { controller, mounts, read } of HIERARCHIES) {
    const ours = ownGroup(controller);
    for (const mount of ours === undefined ? [] : mounts) {
      const folder = join(mount, ours ?? '', `ananta-tests-${process.pid}-${(made += 1)}`);
      try {
        if (!existsSync(join(mount, 'cgroup.procs'))) continue;
        mkdirSync(folder);
        read(folder);
        return { joinFile: join(folder, 'cgroup.procs'), seconds: () => read(folder), remove: () => remove(folder) };
      } catch {
        // Not allowed, or nothing is counted there.
      }
    }
  }
  return undefined;
}

/** Path of this process's group, below the mount. @param controller '' for version 2 */
function ownGroup(controller: string): string | undefined {
  const lines = existsSync('/proc/self/cgroup') ? readFileSync('/proc/self/cgroup', 'utf8').split('\n') : [];
  for (const line of lines) {
    const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path !== undefined && (controller === '' ? controllers === '' : controllers.split(',').includes(controller)))
      return path;
  }
  return undefined;
}

function ofVersion1(folder: string): number {
  return Number(readFileSync(join(folder, 'cpuacct.usage'), 'utf8')) / 1e9;
}

function ofVersion2(folder: string): number {
  const usage = /^usage_usec (\d+)$/m.exec(readFileSync(join(folder, 'cpu.stat'), 'utf8'));
  if (usage === null) throw new Error(`${folder}/cpu.stat has no usage_usec`);
  return Number(usage[1]) / 1e6;
}

/** A process that was just killed is in it for a moment longer. */
async function remove(folder: string): Promise<void> {
  for (let left = REMOVAL_LOOKS; left > 0; left -= 1) {
    try {
      rmdirSync(folder);
      return;
    } catch {
      await sleep(100);
    }
  }
}
