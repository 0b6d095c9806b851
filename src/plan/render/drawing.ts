/** What every drawing of the graph shows: nodes by phase, arrows to those that wait, the longest path. */
import type { Catalog, Service } from '../../catalog/schema.ts';
import type { Environment } from '../../environment/schema.ts';
import { criticalPath, withoutImpliedDependencies } from '../graph.ts';
import { serviceSeconds } from '../inputs/startup.ts';

export interface DrawnNode {
  service: Service;
  /** Seconds until it is healthy once it may start, its steps included. */
  seconds: number;
  critical: boolean;
}

export interface DrawnEdge {
  from: string;
  to: string;
  critical: boolean;
}

export interface Drawing {
  title: string;
  phases: { number: number; title: string; nodes: DrawnNode[] }[];
  /** From a service to one that waits for it; arrows that follow from others are left out. */
  edges: DrawnEdge[];
  criticalPath: string[];
  criticalSeconds: number;
}

/** @param environment whose start-up times count */
export function draw(catalog: Catalog, environment: Pick<Environment, 'name' | 'simulation'>): Drawing {
  const seconds = new Map(catalog.services.map((service) => [service.name, serviceSeconds(environment, service)]));
  const longest = criticalPath(catalog.services, (name) => seconds.get(name) ?? 0);
  const steps = new Set(longest.path.slice(1).map((name, index) => `${longest.path[index] ?? ''} ${name}`));
  const node = (service: Service): DrawnNode => ({
    service,
    seconds: seconds.get(service.name) ?? 0,
    critical: longest.path.includes(service.name),
  });
  return {
    title: `${catalog.title} on ${environment.name}: ${catalog.services.length} services, longest path ${longest.seconds.toFixed(0)} s`,
    phases: catalog.phases.map(({ number, title }) => ({
      number,
      title,
      nodes: catalog.services.filter(({ phase }) => phase === number).map(node),
    })),
    edges: withoutImpliedDependencies(catalog.services).flatMap(({ name, dependsOn }) =>
      dependsOn.map((dependency) => ({ from: dependency, to: name, critical: steps.has(`${dependency} ${name}`) })),
    ),
    criticalPath: longest.path,
    criticalSeconds: longest.seconds,
  };
}
