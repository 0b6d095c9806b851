/** The graph walked backwards: what depends on a service goes first. */
import type { Service } from '../../catalog/schema.ts';
import type { PlannedService } from '../../contract/operations/plan.ts';
import { dependentsOf, remainingSeconds, criticalPath } from '../graph.ts';
import { isNoop } from '../progress.ts';

type Unordered = Omit<PlannedService, 'dependsOn' | 'remainingSeconds'>;

export interface Backwards {
  services: PlannedService[];
  criticalPath: string[];
  criticalPathSeconds: number;
}

/**
 * Reverses the graph: each service waits for whatever depends on it. A dependent to which nothing is done is replaced
 * by its own dependents, so that the order holds across it.
 * @param secondsOf seconds that the work on a service takes
 */
export function backwards(
  catalog: readonly Pick<Service, 'name' | 'dependsOn'>[],
  services: readonly Unordered[],
  secondsOf: (name: string) => number,
): Backwards {
  const dependents = dependentsOf(catalog);
  const atWork = new Set(services.filter(({ action }) => !isNoop(action)).map(({ name }) => name));
  const known = new Map<string, string[]>();
  const before = (name: string): string[] => {
    const found = known.get(name) ?? [
      ...new Set(
        (dependents.get(name) ?? []).flatMap((dependent) => (atWork.has(dependent) ? [dependent] : before(dependent))),
      ),
    ];
    known.set(name, found);
    return found;
  };
  const ordered = services.map((service) => ({ ...service, dependsOn: before(service.name) }));
  const seconds = (name: string): number => (atWork.has(name) ? secondsOf(name) : 0);
  const remaining = remainingSeconds(ordered, seconds);
  const longest = criticalPath(ordered, seconds);
  return {
    services: ordered.map((service) => ({ ...service, remainingSeconds: rounded(remaining.get(service.name) ?? 0) })),
    criticalPath: longest.path.filter((name) => atWork.has(name)),
    criticalPathSeconds: rounded(longest.seconds),
  };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
