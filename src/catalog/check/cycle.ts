/** Finding a loop among dependencies. */

export interface Dependent {
  name: string;
  dependsOn: readonly string[];
}

/**
 * @returns the names along one loop, the first one repeated at the end (`[a, b, a]`: a depends on b, b on a), or
 * undefined where there is none. Names that nobody has are passed over.
 */
export function findCycle(services: readonly Dependent[]): string[] | undefined {
  const byName = new Map(services.map((service) => [service.name, service]));
  const finished = new Set<string>();
  const path: string[] = [];

  const visit = (name: string): string[] | undefined => {
    if (finished.has(name)) return undefined;
    const start = path.indexOf(name);
    if (start >= 0) return [...path.slice(start), name];
    path.push(name);
    for (const dependency of byName.get(name)?.dependsOn ?? []) {
      const loop = byName.has(dependency) ? visit(dependency) : undefined;
      if (loop) return loop;
    }
    path.pop();
    finished.add(name);
    return undefined;
  };

  for (const { name } of services) {
    const loop = visit(name);
    if (loop) return loop;
  }
  return undefined;
}
