/** The graph walked backwards: what depends on a service goes first. */
import type { Service } from '../../catalog/schema.ts';
import type { PlannedService } from '../../contract/operations/plan.ts';
import { type ExpectedTimes, expectedTimes } from '../expected-times.ts';
import { dependentsOf } from '../graph.ts';
import { isNoop } from '../progress.ts';

type Unordered = Omit<PlannedService, 'dependsOn' | 'remainingSeconds'>;

export type Backwards = ExpectedTimes<Omit<PlannedService, 'remainingSeconds'>>;

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
  return expectedTimes(ordered, atWork, secondsOf);
}
