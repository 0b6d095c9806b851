/**
 * Moments of a time zone: recurring ones as cron expressions, single ones as local dates and times. Pure. Where clocks
 * go forward, a time that does not exist is the first one after the gap; where they go back, the first of two counts.
 */
import { Cron } from 'croner';

const DATE = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?$/;
/** A schedule is looked for so far ahead: what does not come in this time never comes. */
const AHEAD_YEARS = 9;

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** @returns what is wrong with it, for a message that begins with the field; undefined: nothing */
export function momentProblem(text: string): string | undefined {
  if (DATE.test(text)) return isDate(text) ? undefined : 'is no date of the calendar';
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5)
    return 'has to be a cron expression of five fields, as in "0 16 * * FRI", or a date and time as in 2026-12-18T18:00';
  try {
    const next = cron(text, 'UTC').nextRun(new Date(0));
    return next === null || next.getUTCFullYear() > 1970 + AHEAD_YEARS ? 'is a day that never comes' : undefined;
  } catch (error) {
    return `is no cron expression: ${(error instanceof Error ? error.message : String(error)).replace(/^CronPattern: /, '')}`;
  }
}

/** @returns milliseconds of the first one after `at`; undefined where none comes any more */
export function nextMoment(text: string, timeZone: string, at: number): number | undefined {
  return cron(text, timeZone).nextRun(new Date(at))?.getTime();
}

/** @returns milliseconds of the last one before or at `at`; undefined where there was none */
export function lastMoment(text: string, timeZone: string, at: number): number | undefined {
  if (DATE.test(text)) {
    const only = nextMoment(text, timeZone, 0);
    return only !== undefined && only <= at ? only : undefined;
  }
  // The library leaves out what is due at the very millisecond.
  return cron(text, timeZone)
    .previousRuns(1, new Date(at + 1))
    .at(0)
    ?.getTime();
}

/** `Mon 2026-12-07 08:00 Europe/Berlin`. */
export function formatMoment(at: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('weekday')} ${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')} ${timeZone}`;
}

function cron(text: string, timezone: string): Cron {
  return new Cron(text, { timezone, paused: true, ...(DATE.test(text) ? {} : { mode: '5-part' as const }) });
}

/** 30 February is none, though clocks would make 2 March of it. */
function isDate(text: string): boolean {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (DATE.exec(text) ?? [])
    .slice(1)
    .map((part: string | undefined) => Number(part ?? 0));
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
}
