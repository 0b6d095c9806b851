/**
 * A deadline that does not count time in which the API server cannot be reached, since nothing could be seen to become
 * healthy. It goes on where an earlier attempt of the same wait stopped.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Deadline {
  /** Seconds that have counted so far. */
  spent(): number;
  isOver(): boolean;
  /** Waits for the next reason to look again, at most `milliseconds`. @throws the signal's reason */
  pause(milliseconds: number): Promise<void>;
  /** Ends the current pause: something has changed. */
  wake(): void;
  /** Stops or resumes counting. */
  suspend(suspended: boolean): void;
}

export interface DeadlineOptions {
  limitSeconds: number;
  /** Of earlier attempts. */
  spentSeconds: number;
  /** Whether time counts right now, beside what `suspend` says; always by default. */
  counts?: () => boolean;
  signal: AbortSignal;
}

export function createDeadline({ limitSeconds, spentSeconds, counts = () => true, signal }: DeadlineOptions): Deadline {
  let spent = spentSeconds * 1000;
  let seen = performance.now();
  let suspended = false;
  let counted = counts();
  let awake = false;
  let waker: AbortController | undefined;
  const settle = (): void => {
    const now = performance.now();
    if (counted) spent += now - seen;
    seen = now;
    counted = !suspended && counts();
  };
  return {
    spent: () => {
      settle();
      return spent / 1000;
    },
    isOver: () => {
      settle();
      return spent >= limitSeconds * 1000;
    },
    suspend: (value) => {
      settle();
      suspended = value;
      counted = !suspended && counts();
    },
    wake: () => {
      awake = true;
      waker?.abort();
    },
    pause: async (milliseconds) => {
      signal.throwIfAborted();
      settle();
      if (!awake) {
        waker = new AbortController();
        await sleep(Math.max(1, Math.min(milliseconds, Math.ceil(limitSeconds * 1000 - spent) + 1)), undefined, {
          signal: AbortSignal.any([signal, waker.signal]),
        }).catch(() => undefined);
        waker = undefined;
      }
      awake = false;
      settle();
      signal.throwIfAborted();
    },
  };
}
