import { setTimeout as sleep } from 'node:timers/promises';
import { AnantaError } from '../../src/contract/errors.ts';

export interface WaitOptions {
  timeoutMs: number;
  /** Between two looks. */
  intervalMs?: number;
  signal?: AbortSignal | undefined;
}

export class WaitTimeoutError extends AnantaError {
  override name = 'WaitTimeoutError';
}

/**
 * Looks again and again until something is there.
 * @param look the result, or undefined for "not yet"; what it throws ends the waiting
 * @throws WaitTimeoutError when the time is up
 */
export async function waitUntil<T>(what: string, options: WaitOptions, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline)
      throw new WaitTimeoutError(`${what}: not within ${Math.round(options.timeoutMs / 1000)} s`);
    await sleep(options.intervalMs ?? 50, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}
