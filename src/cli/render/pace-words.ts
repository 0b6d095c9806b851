/** The time that is left, and what takes longer than ever, in words. Pure. */
import type { Remaining, Slow } from '../../plan/remaining/remaining.ts';
import { clock, count, duration } from '../shared/format.ts';
import { type LiveView, remaining, secondsLeft, slow } from './live.ts';

/**
 * `0:40 left (0:35–1:10)` as earlier runs took; without any, the plan's declared times with that word.
 * @param now milliseconds since the epoch
 * @returns undefined where nothing is left
 */
export function formatTimeLeft(view: LiveView, now: number): string | undefined {
  const known = remaining(view, now);
  if (known) return knownLeft(known);
  if (slow(view, now).length > 0) return 'time left unknown';
  const declared = secondsLeft(view, now);
  if (declared === undefined) return undefined;
  return `about ${clock(declared)} left${view.past === undefined ? '' : ' as declared'}`;
}

function knownLeft({ seconds, low, high, runs }: Remaining): string {
  if (runs === 1) return `about ${clock(seconds)} left, as last time`;
  const [from, to] = [clock(low), clock(high)];
  return from === to ? `about ${from} left` : `${clock(seconds)} left (${from}–${to})`;
}

/** The same for a line that stays: it also says what the estimate rests on. */
export function describeRemaining({ seconds, low, high, runs }: Remaining): string {
  const [from, to] = [duration(low), duration(high)];
  const spread = from === to ? '' : `, between ${from} and ${to}`;
  return `about ${duration(seconds)} left${spread}, as ${count(runs, 'earlier run')} took`;
}

export function describeSlow({ service, seconds, longest, runs }: Slow): string {
  const before = runs === 1 ? 'the one before took' : `the longest of ${runs} runs was`;
  return `${service} takes longer than ever before: ${clock(seconds)}, ${before} ${clock(longest)}`;
}
