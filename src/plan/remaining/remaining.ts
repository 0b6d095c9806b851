/**
 * How long an operation still needs, estimated from earlier runs: for each of them, how long the rest of this one would
 * take at its pace, so that the spread is one that has been seen. Pure.
 */
import type { PlannedService } from '../../contract/operations/plan.ts';
import { isNoop } from '../progress.ts';
import { type PastRun, secondsIn } from './past.ts';

/** Seconds from now to the end of the last service. */
export interface Remaining {
  /** The median of the runs. */
  seconds: number;
  /** The fastest and the slowest of them. */
  low: number;
  high: number;
  /** How many earlier runs say so; with one there is no spread. */
  runs: number;
}

/** A service that takes longer than in every earlier run. */
export interface Slow {
  service: string;
  /** How long it is at work. */
  seconds: number;
  /** The longest of the earlier runs. */
  longest: number;
  runs: number;
}

export interface RunningServices {
  services: readonly PlannedService[];
  ended: (service: string) => boolean;
  /** Seconds for which a service is at work; undefined while it waits. */
  elapsed: (service: string) => number | undefined;
}

/** A tolerance for differing clocks and a slightly slower machine. */
const TOLERANCE = { factor: 1.2, seconds: 3 };

/** Services at work that take longer than ever before, the longest first. */
export function slowServices({ services, ended, elapsed }: RunningServices, past: readonly PastRun[]): Slow[] {
  return services
    .flatMap((service) => {
      const seconds = ended(service.name) ? undefined : elapsed(service.name);
      const before = past.flatMap((run) => secondsIn(run, service) ?? []);
      const longest = Math.max(...before);
      if (seconds === undefined || before.length === 0) return [];
      if (seconds <= Math.max(longest * TOLERANCE.factor, longest + TOLERANCE.seconds)) return [];
      return [{ service: service.name, seconds, longest, runs: before.length }];
    })
    .sort((a, b) => b.seconds - b.longest - (a.seconds - a.longest));
}

/**
 * @returns null where nobody can know: before the plan, where a service that is still ahead was never seen to end, and
 * where one takes longer than ever
 */
export function remainingOf(running: RunningServices, past: readonly PastRun[]): Remaining | null {
  const ahead = running.services.filter(({ name, action }) => !isNoop(action) && !running.ended(name));
  if (ahead.length === 0 || slowServices(running, past).length > 0) return null;
  const seen = new Map(ahead.map((service) => [service.name, past.map((run) => secondsIn(run, service))]));
  if ([...seen.values()].some((all) => all.every((seconds) => seconds === undefined))) return null;
  const asked = past.flatMap((_run, index) =>
    // A run that did nothing to any of them has no pace.
    [...seen.values()].some((all) => all[index] !== undefined) ? [longestPath(ahead, timesOf(index))] : [],
  );
  return { seconds: median(asked), low: Math.min(...asked), high: Math.max(...asked), runs: asked.length };

  function timesOf(index: number): (name: string) => number {
    return (name) => {
      const all = seen.get(name) ?? [];
      const known = all.filter((seconds) => seconds !== undefined);
      return stillNeeds(all[index] ?? median(known), known, running.elapsed(name));
    };
  }
}

/** What has taken longer already than that run took goes on as long as the next longer one, or is about to end. */
function stillNeeds(seconds: number, all: readonly number[], elapsed = 0): number {
  const longer = all.filter((other) => other > elapsed);
  const whole = seconds > elapsed || longer.length === 0 ? seconds : Math.min(...longer);
  return Math.max(0, whole - elapsed);
}

function longestPath(ahead: readonly PlannedService[], secondsOf: (name: string) => number): number {
  const byName = new Map(ahead.map((service) => [service.name, service]));
  const ends = new Map<string, number>();
  const endOf = (service: PlannedService): number => {
    const known = ends.get(service.name);
    if (known !== undefined) return known;
    const before = service.dependsOn.flatMap((name) => byName.get(name) ?? []).map(endOf);
    const end = Math.max(0, ...before) + secondsOf(service.name);
    ends.set(service.name, end);
    return end;
  };
  return Math.max(...ahead.map(endOf));
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [upper = 0, lower = upper] = [sorted[middle], sorted[middle - 1]];
  return sorted.length % 2 === 1 ? upper : (lower + upper) / 2;
}
