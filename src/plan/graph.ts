/** The dependency graph: order, longest path, what is still ahead. Works on anything with names and dependencies. */
import { findCycle, type Dependent } from '../catalog/check/cycle.ts';

export { findCycle } from '../catalog/check/cycle.ts';
export type { Dependent } from '../catalog/check/cycle.ts';

/**
 * Every service after all that it depends on; among equals, the order given.
 * @throws Error that spells out the loop when there is one
 */
export function topologicalOrder<T extends Dependent>(services: readonly T[]): T[] {
  const loop = findCycle(services);
  if (loop) throw new Error(`dependency cycle: ${loop.join(' → ')}`);
  const byName = new Map(services.map((service) => [service.name, service]));
  const ordered = new Set<T>();
  const add = (service: T): void => {
    if (ordered.has(service)) return;
    for (const dependency of service.dependsOn) {
      const found = byName.get(dependency);
      if (found) add(found);
    }
    ordered.add(service);
  };
  for (const service of services) add(service);
  return [...ordered];
}

/** Services that name each service among their dependencies. */
export function dependentsOf(services: readonly Dependent[]): Map<string, string[]> {
  const dependents = new Map(services.map(({ name }) => [name, [] as string[]]));
  for (const { name, dependsOn } of services) {
    for (const dependency of dependsOn) dependents.get(dependency)?.push(name);
  }
  return dependents;
}

/**
 * Seconds of the longest path from the start of each service to the end of the graph, its own included.
 * @param secondsOf seconds that a service takes once it may start
 */
export function remainingSeconds(
  services: readonly Dependent[],
  secondsOf: (name: string) => number,
): Map<string, number> {
  const dependents = dependentsOf(services);
  const remaining = new Map<string, number>();
  for (const { name } of topologicalOrder(services).reverse()) {
    const ahead = (dependents.get(name) ?? []).map((dependent) => remaining.get(dependent) ?? 0);
    remaining.set(name, secondsOf(name) + Math.max(0, ...ahead));
  }
  return remaining;
}

/** The longest path through the whole graph: no deployment can be faster than this. */
export function criticalPath(
  services: readonly Dependent[],
  secondsOf: (name: string) => number,
): { seconds: number; path: string[] } {
  const remaining = remainingSeconds(services, secondsOf);
  const dependents = dependentsOf(services);
  const longest = (names: readonly string[]): string | undefined =>
    names.reduce<string | undefined>(
      (best, name) => (best === undefined || left(name) > left(best) ? name : best),
      undefined,
    );
  const left = (name: string): number => remaining.get(name) ?? 0;

  const path: string[] = [];
  let next = longest(
    services.filter(({ dependsOn }) => !dependsOn.some((name) => remaining.has(name))).map(({ name }) => name),
  );
  while (next !== undefined) {
    path.push(next);
    next = longest(dependents.get(next) ?? []);
  }
  const first = path[0];
  return { seconds: first === undefined ? 0 : left(first), path };
}

/** Drops dependencies that others already imply, so that a drawing stays readable; the order is the same. */
export function withoutImpliedDependencies<T extends Dependent>(services: readonly T[]): T[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const reachable = new Map<string, Set<string>>();
  for (const { name, dependsOn } of topologicalOrder(services)) {
    reachable.set(name, new Set(dependsOn.flatMap((dependency) => [dependency, ...(reachable.get(dependency) ?? [])])));
  }
  return services.map((service) => ({
    ...service,
    dependsOn: service.dependsOn.filter(
      (dependency) =>
        byName.has(dependency) &&
        !service.dependsOn.some((other) => other !== dependency && reachable.get(other)?.has(dependency)),
    ),
  }));
}
