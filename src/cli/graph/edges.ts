/** The catalog's graph as it is drawn: without arrows that follow from others. Pure. */
import { type Dependent, withoutImpliedDependencies } from '../../plan/graph.ts';

export interface Edge {
  /** Has to be healthy first. */
  from: string;
  to: string;
  /** Both ends follow each other on the longest path. */
  critical: boolean;
}

/** @param criticalPath names in order */
export function drawnEdges(services: readonly Dependent[], criticalPath: readonly string[]): Edge[] {
  const next = new Map(criticalPath.map((name, index) => [name, criticalPath[index + 1]]));
  return withoutImpliedDependencies(services).flatMap(({ name, dependsOn }) =>
    dependsOn.map((from) => ({ from, to: name, critical: next.get(from) === name })));
}
