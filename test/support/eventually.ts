/** For effects that take an unknown time: no fixed pause is long enough on every machine. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than anything takes on a machine that is busy with other things; a test that passes does not wait for it. */
const LIMIT_MS = 60_000;

/** Repeats an assertion until it holds. @throws what it threw last, when it does not within a minute */
export async function eventually<T>(assertion: () => T | Promise<T>): Promise<T> {
  for (const end = performance.now() + LIMIT_MS; ; ) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(20);
    }
  }
}
