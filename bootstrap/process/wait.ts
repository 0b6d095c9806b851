import { availableParallelism, loadavg } from 'node:os';
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

export interface MovingOptions extends Omit<WaitOptions, 'timeoutMs'> {
  /** How long the state may stay unchanged. */
  standstillMs: number;
  /** In words, which change as long as what is waited for moves. */
  signs: () => Promise<string>;
  /** Limit also for a wait that makes progress: five minutes by default, longer on a busy machine. */
  longestMs?: () => number;
}

const SIGNS_EVERY_MS = 250;
const LONGEST_MS = 5 * 60_000;
const LONGEST_FACTOR = 6;

/**
 * The same without a clock for the whole: it ends when nothing moves any more.
 * @throws WaitTimeoutError, which says what stood still, or went on without getting there
 */
export async function waitWhileMoving<T>(
  what: string,
  { standstillMs, signs, intervalMs = 50, signal, longestMs = longest }: MovingOptions,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const began = performance.now();
  let seen = { signs: '', since: began, lookedAt: -Infinity };
  for (;;) {
    signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    const now = performance.now();
    if (now - seen.lookedAt >= SIGNS_EVERY_MS) {
      const told = await signs();
      seen = { signs: told, since: told === seen.signs ? seen.since : now, lookedAt: now };
      const words = told === '' ? '' : ` (${told})`;
      if (now - seen.since >= standstillMs)
        throw new WaitTimeoutError(`${what}: nothing has changed for ${Math.round(standstillMs / 1000)} s${words}`);
      if (now - began >= longestMs())
        throw new WaitTimeoutError(`${what}: not within ${Math.round((now - began) / 1000)} s${words}`);
    }
    await sleep(intervalMs, undefined, signal === undefined ? {} : { signal });
  }
}

function longest(): number {
  const busy = (loadavg()[0] ?? 0) / availableParallelism();
  return LONGEST_MS * Math.min(LONGEST_FACTOR, Math.max(1, busy));
}
