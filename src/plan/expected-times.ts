/** How long the work of an operation is expected to take: its critical path, and what is left from each service on. */
import { criticalPath, remainingSeconds } from './graph.ts';

interface Timed {
  name: string;
  dependsOn: readonly string[];
}

export interface ExpectedTimes<T> {
  /** Each with the seconds from its start to the end of the longest chain that begins with it. */
  services: (T & { remainingSeconds: number })[];
  criticalPath: string[];
  criticalPathSeconds: number;
}

/**
 * @param services in the order of the plan
 * @param atWork those to which something is done: the others take no time
 * @param secondsOf seconds that the work on a service takes
 */
export function expectedTimes<T extends Timed>(
  services: readonly T[],
  atWork: ReadonlySet<string>,
  secondsOf: (name: string) => number,
): ExpectedTimes<T> {
  const seconds = (name: string): number => (atWork.has(name) ? secondsOf(name) : 0);
  const remaining = remainingSeconds(services, seconds);
  const longest = criticalPath(services, seconds);
  return {
    services: services.map((service) => ({ ...service, remainingSeconds: rounded(remaining.get(service.name) ?? 0) })),
    criticalPath: longest.path.filter((name) => atWork.has(name)),
    criticalPathSeconds: rounded(longest.seconds),
  };
}

export function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
