/** Whether an environment is frozen, and until when. Pure. */
import type { FreezeState } from '../../contract/admission/freeze.ts';
import { formatMoment, lastMoment, nextMoment } from '../../environment/fields/formats/moments.ts';

interface Span {
  from: string;
  to: string;
  timeZone?: string | undefined;
}

/** As the environment's file says it; times were checked there. */
export interface FreezeRules {
  timeZone: string;
  windows: (Span & { name: string })[];
  exceptions: (Span & { reason: string })[];
}

/** Windows that touch each other are followed over so many ends. */
const MOST_CHANGES = 60;

/** @param at milliseconds since the epoch */
export function freezeAt(rules: FreezeRules, at: number): FreezeState {
  const exception = rules.exceptions.find((span) => lastsAt(span, rules.timeZone, at));
  const windows = rules.windows.filter((span) => lastsAt(span, rules.timeZone, at)).map(({ name }) => name);
  if (windows.length === 0 || exception !== undefined)
    return { frozen: false, windows, ...(exception === undefined ? {} : { exception: exception.reason }) };
  const until = opensAfter(rules, at);
  return {
    frozen: true,
    windows,
    ...(until === undefined
      ? {}
      : { until: new Date(until).toISOString(), opens: formatMoment(until, rules.timeZone) }),
  };
}

/** @returns the first moment after `at` at which it is not frozen; undefined where none can be seen */
function opensAfter(rules: FreezeRules, at: number): number | undefined {
  let moment = at;
  for (let change = 0; change < MOST_CHANGES; change += 1) {
    const ends = [
      ...rules.windows
        .filter((span) => lastsAt(span, rules.timeZone, moment))
        .map(({ to, timeZone }) => ({ text: to, timeZone })),
      ...rules.exceptions.map(({ from, timeZone }) => ({ text: from, timeZone })),
    ].flatMap(({ text, timeZone }) => nextMoment(text, timeZone ?? rules.timeZone, moment) ?? []);
    if (ends.length === 0) return undefined;
    moment = Math.min(...ends);
    if (!isFrozen(rules, moment)) return moment;
  }
  return undefined;
}

function isFrozen(rules: FreezeRules, at: number): boolean {
  return (
    rules.windows.some((span) => lastsAt(span, rules.timeZone, at)) &&
    !rules.exceptions.some((span) => lastsAt(span, rules.timeZone, at))
  );
}

/** From its begin, which counts, to its end, which does not. */
function lastsAt({ from, to, timeZone }: Span, usual: string, at: number): boolean {
  const zone = timeZone ?? usual;
  const began = lastMoment(from, zone, at);
  if (began === undefined) return false;
  const ended = lastMoment(to, zone, at);
  return ended === undefined || ended < began;
}

/** The next windows, for people: the first `count` begins after `at`. */
export function comingWindows(
  { windows, timeZone: usual }: FreezeRules,
  at: number,
  count: number,
): { name: string; from: string; to?: string }[] {
  return windows
    .flatMap(({ name, from, to, timeZone }) => {
      const zone = timeZone ?? usual;
      const begin = nextMoment(from, zone, at);
      if (begin === undefined) return [];
      const end = nextMoment(to, zone, begin);
      return [
        { name, begin, from: formatMoment(begin, zone), ...(end === undefined ? {} : { to: formatMoment(end, zone) }) },
      ];
    })
    .sort((a, b) => a.begin - b.begin)
    .slice(0, count)
    .map(({ begin: _begin, ...window }) => window);
}
