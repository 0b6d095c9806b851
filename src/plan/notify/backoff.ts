/** When a notification that did not arrive is tried again. Pure, and without Node. */
import type { DeliveryAnswer } from '../../contract/notifications.ts';

/** 5 s, 15 s, 45 s, 2 min 15 s, 6 min 45 s, 15 min: 25 minutes in all. */
const FIRST_SECONDS = 5;
const FACTOR = 3;
const LONGEST_SECONDS = 900;
export const MOST_ATTEMPTS = 7;
/** A receiver that asks for more is not waited for longer. */
const LONGEST_RETRY_AFTER_SECONDS = 3600;

/**
 * @param attempt that has just failed; the first is 1
 * @returns seconds until the next one; undefined where it is given up
 */
export function nextAttempt(
  attempt: number,
  { permanent, retryAfterSeconds }: Pick<DeliveryAnswer, 'permanent' | 'retryAfterSeconds'>,
): number | undefined {
  if (permanent || attempt >= MOST_ATTEMPTS) return undefined;
  const own = Math.min(FIRST_SECONDS * FACTOR ** (attempt - 1), LONGEST_SECONDS);
  return Math.max(own, Math.min(retryAfterSeconds ?? 0, LONGEST_RETRY_AFTER_SECONDS));
}

/** @param header as it came: seconds, or a date @returns undefined for what is neither */
export function retryAfterOf(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const at = Date.parse(text);
  // Numbers that are no count of seconds pass for years.
  return Number.isNaN(at) || !/[a-z]/i.test(text) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}

/** Whether a receiver may answer otherwise the next time. */
export function isPassing(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}
