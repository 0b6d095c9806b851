/** How much memory the pods of a real node take: the working set, as kubelet counts it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
const EVERY_MS = 1_000;

/** @param group the control group above all pods @returns bytes @throws where there is no such group */
export async function workingSet(group: string): Promise<number> {
  const unified = join(ROOT, group);
  const [usage, stat, inactive] = await readFile(join(unified, 'memory.current'), 'utf8').then(
    async (text) => [text, await readFile(join(unified, 'memory.stat'), 'utf8'), /^inactive_file (\d+)$/m] as const,
    async () =>
      [
        await readFile(join(ROOT, 'memory', group, 'memory.usage_in_bytes'), 'utf8'),
        await readFile(join(ROOT, 'memory', group, 'memory.stat'), 'utf8'),
        /^total_inactive_file (\d+)$/m,
      ] as const,
  );
  return Number(usage) - Number(inactive.exec(stat)?.[1] ?? 0);
}

/** Looks every second until it is stopped. */
export function watchMemory(group: string): { stop: () => number } {
  let most = 0;
  const timer = setInterval(
    () =>
      void workingSet(group).then(
        (bytes) => {
          most = Math.max(most, bytes);
        },
        () => undefined,
      ),
    EVERY_MS,
  );
  return {
    stop: () => {
      clearInterval(timer);
      return most;
    },
  };
}
