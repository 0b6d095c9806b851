import { setTimeout as sleep } from 'node:timers/promises';

/** For what looks again and again beside a command. @returns false when the signal came first; never rejects */
export function pause(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  return sleep(milliseconds, true, { signal }).catch(() => false);
}
