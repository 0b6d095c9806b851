/** The failures of running steps, in a worker's memory, and the limits at which a step is given up. */
import type { FailureType } from '../../contract/failures.ts';
import { steadyNow } from '../../process/clock.ts';
import { type Bound, LONGEST_SECONDS } from './bounds.ts';

export interface Streak {
  /** Milliseconds of the epoch: the first failure of this class. */
  since: number;
  count: number;
  /** Failures of the step in this worker's memory, of any class. */
  remembered: number;
  /** As often in a row with the same words, from then on. */
  same: { answer: string; since: number; count: number };
}

export interface Streaks {
  /** @param step its workflow and its own id within that @returns what is known of it, this failure included */
  failed(step: string, type: FailureType, message: string): Streak;
  /** It needs no memory any more. */
  ended(step: string): void;
}

export function createStreaks(now: () => number = steadyNow): Streaks {
  const known = new Map<string, Map<FailureType, Streak>>();
  return {
    failed: (step, type, message) => {
      const at = now();
      const answer = withoutNumbers(message);
      const classes = known.get(step) ?? new Map<FailureType, Streak>();
      known.set(step, classes);
      const before = classes.get(type);
      // A failure of another class in between: the repeated errors are no longer in a row.
      for (const [other, streak] of classes) if (other !== type) streak.same = { answer: '', since: at, count: 0 };
      const same =
        before?.same.answer === answer
          ? { ...before.same, count: before.same.count + 1 }
          : { answer, since: at, count: 1 };
      const remembered = 1 + [...classes.values()].reduce((sum, { count }) => sum + count, 0);
      const streak = { since: before?.since ?? at, count: (before?.count ?? 0) + 1, remembered, same };
      classes.set(type, streak);
      return streak;
    },
    ended: (step) => {
      known.delete(step);
    },
  };
}

export interface Attempt {
  /** When the step was first wanted, by `steadyNow`. */
  wantedAt: number;
  /** The first is 1. */
  attempt: number;
  /** After so many the engine gives up. */
  maximumAttempts?: number | undefined;
}

/**
 * A restarted worker remembers no earlier failures, but the engine still counts the attempts. Why those failed is not
 * known, so more of them are allowed.
 */
const FORGOTTEN_ATTEMPTS = 10;
const FORGOTTEN_FACTOR = 2;

/**
 * @returns in words that it was tried long enough, how often and since when, and what helps; undefined as long as it is
 * worth another attempt
 */
export function enough(
  bound: Bound,
  { since, count, remembered, same }: Streak,
  { wantedAt, attempt, maximumAttempts }: Attempt,
  now = steadyNow(),
): string | undefined {
  const isSame =
    bound.same !== undefined && same.count >= bound.same.times && now - same.since >= bound.same.seconds * 1000;
  const isLong = count > 1 && now - since >= bound.seconds * 1000;
  const isLast = maximumAttempts !== undefined && maximumAttempts > 0 && attempt >= maximumAttempts;
  const isForgotten =
    attempt - remembered >= FORGOTTEN_ATTEMPTS && now - wantedAt >= FORGOTTEN_FACTOR * bound.seconds * 1000;
  if (isForgotten && !isSame && !isLong)
    return `Tried ${attempt} times since ${new Date(wantedAt).toISOString()}, by workers that came and went: this does not pass by itself. ${bound.help}`;
  if (!isSame && !isLong && !isLast && now - wantedAt < LONGEST_SECONDS * 1000) return undefined;
  const answer = isSame || same.count === count ? 'with the same answer' : 'in vain';
  return `Tried ${count} times since ${new Date(since).toISOString()}, ${answer}: this does not pass by itself. ${bound.help}`;
}

/** Two answers that differ in a time, a port or an id are the same answer. */
function withoutNumbers(message: string): string {
  return message.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+/g, '#');
}
