/**
 * The state of a deployment as a fold over its events: used by the workflow for its own view and by the CLI for its
 * pictures, so that both always agree.
 */
import type {
  DependencySettled,
  OperationAct,
  OperationResult,
  OperationWait,
  ServiceOutcome,
  ServiceProgress,
  ServiceState,
} from '../contract/operations/deploy.ts';
import { checkKey, type PlannedCheck } from '../contract/checks.ts';
import type { OperationPlan, PlannedAction, PlannedService } from '../contract/operations/plan.ts';
import { FINAL_STATES, DEPENDENCY_SKIPPED, GOOD_STATES, SKIPPED_BY_REQUEST } from '../contract/operations/states.ts';
import type { Steering } from '../contract/operations/steering.ts';

export interface DeploymentProgress {
  plan?: OperationPlan;
  /** Newest event per service. */
  services: Record<string, ServiceProgress>;
  /** What the operation waits for before it does anything. */
  waits?: OperationWait;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** How checks of the verification stage stand that have begun, by `service/name`. */
  checks?: Record<string, CheckProgress>;
  /** What people decided before anything was done, as far as it was reported. */
  acts?: OperationAct[];
  finished?: OperationResult;
  /** How it was steered; absent: nobody did. */
  steering?: Steering;
}

export interface CheckProgress extends Pick<PlannedCheck, 'service' | 'name'> {
  state: 'running' | 'passed' | 'failed' | 'cancelled';
  /** Milliseconds since the epoch. */
  since: number;
  /** When it ended; absent while it runs. */
  ended?: number;
  /** What proved it, or what came back instead: one line. */
  text?: string;
}

export type DeploymentEvent =
  | { kind: 'started'; at: number }
  | { kind: 'plan'; plan: OperationPlan; at: number }
  /** With what people have decided by then, where that is reported. */
  | { kind: 'waits'; wait?: OperationWait; acts?: OperationAct[]; at: number }
  | { kind: 'check'; check: Omit<CheckProgress, 'since' | 'ended'>; at: number }
  | { kind: 'progress'; event: ServiceProgress }
  /** Somebody has steered it, or is asked something: all that is known of that. */
  | { kind: 'steering'; steering: Steering; at: number }
  | { kind: 'finished'; result: OperationResult };

export function emptyProgress(startedAt = 0): DeploymentProgress {
  return { services: {}, startedAt };
}

/** @returns a new view; an event that is older than what is known of a service, or follows its end, changes nothing. */
export function applyEvent(view: DeploymentProgress, event: DeploymentEvent): DeploymentProgress {
  switch (event.kind) {
    case 'started':
      return { ...view, startedAt: event.at };
    case 'plan': {
      const services: Record<string, ServiceProgress> = {};
      for (const service of event.plan.services) {
        const outcome = noopOutcome(service);
        services[service.name] = outcome
          ? { service: service.name, state: outcome.state, at: event.at, outcome }
          : { service: service.name, state: 'waiting', at: event.at };
      }
      // What was planned again, before anything was done, takes the place of what was planned first.
      return { ...view, plan: event.plan, services: view.plan ? services : { ...services, ...view.services } };
    }
    case 'waits': {
      const { waits: _over, ...rest } = view;
      const next = event.acts === undefined ? rest : { ...rest, acts: event.acts };
      return event.wait === undefined ? next : { ...next, waits: event.wait };
    }
    case 'check': {
      const key = checkKey(event.check);
      const since = view.checks?.[key]?.since ?? event.at;
      const ended = event.check.state === 'running' ? {} : { ended: event.at };
      return { ...view, checks: { ...view.checks, [key]: { ...event.check, since, ...ended } } };
    }
    case 'progress': {
      const known = view.services[event.event.service];
      if (known && isOlder(event.event, known)) return view;
      return { ...view, services: { ...view.services, [event.event.service]: event.event } };
    }
    case 'steering':
      return {
        ...view,
        steering: event.steering,
        services: { ...view.services, ...triedAgain(view, event.steering, event.at) },
      };
    case 'finished':
      return { ...view, finished: event.result };
  }
}

/** How long a check took; undefined while it runs. */
export function checkSeconds(
  { checks = {} }: Pick<DeploymentProgress, 'checks'>,
  check: Pick<PlannedCheck, 'service' | 'name'>,
): number | undefined {
  const { since = 0, ended } = checks[checkKey(check)] ?? {};
  return ended === undefined ? undefined : (ended - since) / 1000;
}

/**
 * An event is out of date when it is of an earlier attempt or an earlier moment. After an end only the skipping of a
 * failed service counts.
 */
function isOlder(event: ServiceProgress, known: ServiceProgress): boolean {
  const [attempt, last] = [event.attempt ?? 0, known.attempt ?? 0];
  if (attempt !== last) return attempt < last;
  if (known.state === 'failed' && event.outcome?.failure?.type === SKIPPED_BY_REQUEST) return false;
  return FINAL_STATES.includes(known.state) || known.at > event.at;
}

/** What has failed and is tried again waits again. */
function triedAgain({ services }: DeploymentProgress, { retries }: Steering, at: number): typeof services {
  return Object.fromEntries(
    Object.entries(retries).flatMap(([service, attempt]) =>
      services[service] === undefined || (services[service].attempt ?? 0) >= attempt
        ? []
        : [[service, { service, state: 'waiting' as const, at, attempt, detail: 'is tried again' }]],
    ),
  );
}

/** Whether nothing is to be done: as wanted, or not selected. */
export function isNoop(action: PlannedAction): boolean {
  return action === 'unchanged' || action === 'excluded';
}

/** How a service ends to which nothing is done; undefined for all others. */
export function noopOutcome({
  name,
  phase,
  action,
}: Pick<PlannedService, 'name' | 'phase' | 'action'>): ServiceOutcome | undefined {
  if (!isNoop(action)) return undefined;
  return { name, phase, state: action === 'excluded' ? 'skipped' : 'unchanged', seconds: 0, changed: false };
}

/** It is left out: a person has skipped it, or something that it depends on. */
export function isLeftOut({ failure }: ServiceOutcome): boolean {
  return failure?.type === SKIPPED_BY_REQUEST || failure?.type === DEPENDENCY_SKIPPED;
}

/** What services get that depend on a service. */
export function settledBy(service: string, outcome: ServiceOutcome | undefined): DependencySettled {
  return {
    service,
    ok: outcome !== undefined && GOOD_STATES.includes(outcome.state),
    ...(outcome?.failure?.type === SKIPPED_BY_REQUEST ? { skipped: true } : {}),
  };
}

/** How a service stands: it waits until something is known of it. */
export function stateOf({ services }: Pick<DeploymentProgress, 'services'>, service: string): ServiceState {
  return services[service]?.state ?? 'waiting';
}

/** Dependencies that a waiting service still waits for, in the catalog's order. */
export function waitsFor(view: DeploymentProgress, service: string): string[] {
  if (view.plan === undefined) return [];
  const { byName, noops } = indexOf(view.plan);
  return (byName.get(service)?.dependsOn ?? []).filter(
    (name) => !noops.has(name) && !GOOD_STATES.includes(stateOf(view, name)),
  );
}

interface PlanIndex {
  byName: ReadonlyMap<string, PlannedService>;
  noops: ReadonlySet<string>;
}

/** Of a plan, which never changes: every picture of thousands of services asks for each of them. */
const indexes = new WeakMap<OperationPlan, PlanIndex>();

function indexOf(plan: OperationPlan): PlanIndex {
  const known = indexes.get(plan);
  if (known) return known;
  const index = {
    byName: new Map(plan.services.map((service) => [service.name, service])),
    noops: new Set(plan.services.filter(({ action }) => isNoop(action)).map(({ name }) => name)),
  };
  indexes.set(plan, index);
  return index;
}

/** Outcomes of all planned services; one that never ended counts as `cancelled`. */
export function outcomes(view: DeploymentProgress): ServiceOutcome[] {
  return (view.plan?.services ?? []).map(
    (service) =>
      view.services[service.name]?.outcome ?? {
        name: service.name,
        phase: service.phase,
        state: 'cancelled',
        seconds: 0,
        changed: false,
      },
  );
}
