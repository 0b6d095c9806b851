/** Part of the platform: which services a selection names, and what a plan makes of the others. Pure. */
import { AnantaError, type NextStep } from '../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../contract/failures.ts';
import type { Service } from '../catalog/schema.ts';
import type { Selection } from '../contract/operations/deploy.ts';
import type { OperationPlan, PlannedService, PlannedStep } from '../contract/operations/plan.ts';
import { suggestion } from '../suggest.ts';
import { planDigest } from './digest.ts';
import { dependentsOf } from './graph.ts';
import { type ObservedCluster, releaseKey } from './observed.ts';

/** A name or a phase that does not exist, or nothing is left. The message says which, and what is near. */
export class SelectionError extends AnantaError {
  override name = 'SelectionError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
  override readonly next: readonly NextStep[] = [`npm run ananta -- catalog   (all services and phases)`];
}

/** A selected service needs one that is neither selected nor works. */
export class DependencyMissingError extends AnantaError {
  override name = 'DependencyMissingError';
  override readonly type = FAILURES.dependencyMissing;
  override readonly exitCode = EXIT_CODES.refused;
}

/** What of a catalog it takes. */
export interface Graph {
  services: readonly Pick<Service, 'name' | 'phase' | 'dependsOn'>[];
  phases: readonly { number: number }[];
}

/**
 * What any of `only`, `phases` and `from` names, everything where none of them is given; with what it depends on where
 * that is asked for; without what is skipped.
 * @returns names in the catalog's order
 * @throws SelectionError
 */
export function selectedServices(catalog: Graph, selection: Selection): string[] {
  const { only = [], phases = [], from = [], skip = [], withDependencies = false } = selection;
  const names = catalog.services.map(({ name }) => name);
  for (const name of [...only, ...skip]) requireService(names, name);
  for (const phase of phases) requirePhase(catalog, phase);
  const everything = only.length + phases.length + from.length === 0;
  const chosen = new Set(
    everything
      ? names
      : [
          ...only,
          ...catalog.services.filter(({ phase }) => phases.includes(phase)).map(({ name }) => name),
          ...from.flatMap((start) => startingFrom(catalog, names, start)),
        ],
  );
  if (withDependencies) addDependencies(catalog, chosen);
  const selected = names.filter((name) => chosen.has(name) && !skip.includes(name));
  if (selected.length === 0) throw new SelectionError(`Nothing is left to deploy: ${describeSelection(selection)}.`);
  return selected;
}

/** `only auth, phase 3, without web`: a selection in words. */
export function describeSelection({
  only = [],
  phases = [],
  from = [],
  skip = [],
  withDependencies = false,
  rerun = [],
}: Selection): string {
  return [
    ...(only.length > 0 ? [`only ${only.join(', ')}`] : []),
    ...(phases.length > 0 ? [`phase ${phases.join(', ')}`] : []),
    ...from.map((start) => (/^\d+$/.test(start) ? `from phase ${start} on` : `${start} and all that comes after it`)),
    ...(withDependencies ? ['with all they depend on'] : []),
    ...(skip.length > 0 ? [`without ${skip.join(', ')}`] : []),
    ...(rerun.length > 0 ? [`Jobs run again: ${rerun.join(', ')}`] : []),
  ].join('; ');
}

/**
 * The same plan with everything excluded that is not selected.
 * @throws SelectionError; DependencyMissingError naming what is missing and the ways on
 */
export function selectPlan(
  decided: OperationPlan,
  catalog: Graph,
  selection: Selection,
  observed: ObservedCluster,
): OperationPlan {
  const selected = new Set(selectedServices(catalog, selection));
  const plan = rerunning(decided, selected, selection.rerun ?? []);
  const missing = plan.services
    .filter(({ name }) => !selected.has(name))
    .filter((service) => !works(service, observed));
  const needed = missing.flatMap((service) => {
    const by = plan.services.filter(
      ({ name, action, dependsOn }) => selected.has(name) && action !== 'unchanged' && dependsOn.includes(service.name),
    );
    return by.length === 0 ? [] : [{ service, by: by.map(({ name }) => name) }];
  });
  if (needed.length > 0) throw dependencyMissing(needed, selection);
  const services = plan.services.map((service) => (selected.has(service.name) ? service : excluded(service)));
  const todo = services.some(({ action }) => action !== 'unchanged' && action !== 'excluded');
  return {
    ...plan,
    services,
    prerequisites: plan.prerequisites && todo,
    digest: planDigest(plan.environment, services),
    notes: [...(plan.notes ?? []), `Selected: ${describeSelection(selection)}`],
  };
}

/** @throws SelectionError for a name that is no Job of the platform, or of a service that is not selected */
function rerunning(plan: OperationPlan, selected: ReadonlySet<string>, rerun: readonly string[]): OperationPlan {
  if (rerun.length === 0) return plan;
  const jobs = plan.services.flatMap(({ steps }) => steps.filter(({ job }) => job).map(({ name }) => name));
  for (const name of rerun)
    if (!jobs.includes(name))
      throw new SelectionError(
        `There is no Job "${name}"${suggestion(name, jobs) || `. There are: ${jobs.join(', ')}.`}`,
      );
  const reason = 'its Job is run again, as somebody has asked for';
  const services = plan.services.map((service): PlannedService => {
    const asked = service.steps.filter(({ name }) => rerun.includes(name));
    const [first] = asked;
    if (first === undefined) return service;
    if (!selected.has(service.name))
      throw new SelectionError(`${first.name} is a Job of ${service.name}, which is not among what is selected.`);
    const steps = service.steps.map(
      (step): PlannedStep =>
        rerun.includes(step.name)
          ? {
              ...step,
              rerun: true,
              ...(step.action === 'unchanged' || step.action === 'verify' ? { action: 'retry', reason } : {}),
            }
          : step,
    );
    const settled = service.action === 'unchanged' || service.action === 'verify';
    return {
      ...service,
      steps,
      ...(settled
        ? { action: 'retry', reason: first.name === service.name ? reason : `${first.name}: ${reason}` }
        : {}),
    };
  });
  return { ...plan, services, digest: planDigest(plan.environment, services) };
}

function excluded(service: PlannedService): PlannedService {
  const reason = 'not selected';
  return {
    ...service,
    action: 'excluded',
    reason,
    steps: service.steps.map(({ revision: _seen, ...step }): PlannedStep => ({ ...step, action: 'excluded', reason })),
  };
}

/**
 * Whether others can build on it as it is: an older version of a server that is healthy will do, a Job's older run will
 * not.
 */
function works({ steps }: PlannedService, observed: ObservedCluster): boolean {
  return steps.every(
    ({ kind, name, namespace, job, action }) =>
      action === 'unchanged' ||
      // Its server would be changed; it is open all the same.
      (kind === 'vault-init' && observed.vault === 'open' && observed.vaultConfigured) ||
      ((action === 'upgrade' || action === 'restart') &&
        kind === 'release' &&
        !job &&
        observed.health.get(releaseKey(namespace, name))?.healthy === true),
  );
}

function dependencyMissing(
  needed: readonly { service: PlannedService; by: string[] }[],
  { only, phases, from, skip = [] }: Selection,
): DependencyMissingError {
  const lines = needed.map(
    ({ service: { name, reason }, by }) =>
      `  ${name} (${reason}), needed by ${by.length > 3 ? `${by.slice(0, 3).join(', ')} and ${by.length - 3} more` : by.join(', ')}`,
  );
  const skipped = needed.map(({ service }) => service.name).filter((name) => skip.includes(name));
  const names = needed
    .map(({ service }) => service.name)
    .filter((name) => !skip.includes(name))
    .join(',');
  const narrowed = [only, phases, from].some((part) => part !== undefined && part.length > 0);
  const ways = [
    ...(skipped.length > 0 ? [`do not skip ${skipped.join(', ')}`] : []),
    ...(names === '' || !narrowed
      ? []
      : [
          'add --with-dependencies, which pulls in all that is needed',
          `deploy what is missing first: --only ${names}`,
        ]),
  ];
  return new DependencyMissingError(
    `What was selected depends on ${needed.length === 1 ? 'a service that is' : 'services that are'} neither selected nor in order:\n${lines.join('\n')}\nWays on: ${ways.join('; or ')}.`,
  );
}

function requireService(names: readonly string[], name: string): void {
  if (!names.includes(name)) throw new SelectionError(`There is no service "${name}"${suggestion(name, names) || '.'}`);
}

function requirePhase({ phases }: Graph, phase: number): void {
  if (!phases.some(({ number }) => number === phase))
    throw new SelectionError(
      `There is no phase ${phase}: phases are ${phases[0]?.number ?? 1} to ${phases.at(-1)?.number ?? 1}.`,
    );
}

/** A service with all that depends on it, or a phase and all later ones. */
function startingFrom(catalog: Graph, names: readonly string[], start: string): string[] {
  if (/^\d+$/.test(start)) {
    requirePhase(catalog, Number(start));
    return catalog.services.filter(({ phase }) => phase >= Number(start)).map(({ name }) => name);
  }
  requireService(names, start);
  const dependents = dependentsOf(catalog.services);
  return [...reached(start, (name) => dependents.get(name) ?? [])];
}

function addDependencies({ services }: Graph, chosen: Set<string>): void {
  const byName = new Map(services.map((service) => [service.name, service]));
  for (const name of [...chosen])
    for (const found of reached(name, (at) => byName.get(at)?.dependsOn ?? [])) chosen.add(found);
}

function reached(start: string, next: (name: string) => readonly string[]): Set<string> {
  const seen = new Set([start]);
  for (const name of seen) for (const further of next(name)) seen.add(further);
  return seen;
}
