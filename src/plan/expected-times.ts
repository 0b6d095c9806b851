/** How long the work of an operation is expected to take: its critical path, and what is left from each service on. */
import type { Catalog } from '../catalog/schema.ts';
import type { PlannedService, PlannedStep } from '../contract/operations/plan.ts';
import type { Environment } from '../environment/schema.ts';
import { criticalPath, remainingSeconds } from './graph.ts';
import { serviceSeconds } from './inputs/startup.ts';

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

/** The same of all services of a platform: what is done to one takes as long as it takes to start. */
export function expectedTimesOf<T extends Timed & Pick<PlannedService, 'action'>>(
  { services: all }: Pick<Catalog, 'services'>,
  environment: Environment,
  services: readonly T[],
): ExpectedTimes<T> {
  const atWork = new Set(services.filter(({ action }) => action !== 'unchanged').map(({ name }) => name));
  const seconds = new Map(all.map((service) => [service.name, serviceSeconds(environment, service)]));
  return expectedTimes(services, atWork, (name) => seconds.get(name) ?? 0);
}

/** Of the steps of a service, the one that says what is done to it: of its main release, or of the first at work. */
export function decisiveStep(steps: readonly PlannedStep[], service: string): PlannedStep | undefined {
  const atWork = steps.filter(({ action }) => action !== 'unchanged');
  return atWork.find(({ name }) => name === service) ?? atWork[0];
}

export function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
