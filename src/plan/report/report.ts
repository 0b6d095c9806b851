/** What one operation did, from its history: who waited for what, for how long, and how it ended. Pure. */
import { checkKey } from '../../contract/checks.ts';
import type { OperationAct, OperationResult, ServiceFailure } from '../../contract/operations/deploy.ts';
import type { OperationPlan, PlannedAction } from '../../contract/operations/plan.ts';
import { FINAL_STATES, GOOD_STATES } from '../../contract/operations/states.ts';
import type { PlatformVersion } from '../../contract/version.ts';
import {
  applyEvent,
  type CheckProgress,
  type DeploymentEvent,
  type DeploymentProgress,
  emptyProgress,
  stateOf,
} from '../progress.ts';
import { actsOf } from '../steering/acts.ts';
import { type Hold, holdsIn } from './holds.ts';
import type { ReleaseDiff } from '../versions/diff.ts';

export interface OperationReport {
  environment: string;
  operation: OperationResult['operation'];
  workflowId: string;
  runId: string;
  requestedBy: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** When it ended, or the moment of the report while it runs. */
  endedAt: number;
  outcome: OperationResult['outcome'] | 'running' | 'terminated';
  planDigest: string;
  criticalPath: string[];
  /** From declared start-up times. */
  criticalPathSeconds: number;
  /** What belongs to no service: planning, namespaces. */
  failure?: ServiceFailure;
  phases: { number: number; title: string }[];
  /** In the order of the plan. */
  services: ReportedService[];
  retries: Attempt[];
  /** Of the verification stage, in the order of the plan: those that have begun. */
  checks: ReportedCheck[];
  /** Times in which it waited for people, or for a freeze to end. */
  holds: Hold[];
  /** What people decided, in their order. */
  acts: OperationAct[];
  /** Absent where it left none. */
  version?: PlatformVersion;
  /** What differs from the version before; absent where that is not known. */
  changes?: { since: number; releases: ReleaseDiff[] };
}

export interface ReportedService {
  name: string;
  phase: number;
  action: PlannedAction;
  /** Why the plan touches it, or leaves it alone. */
  reason: string;
  state: string;
  /** One after the other, without gaps. */
  segments: Segment[];
  /** The dependency that was ready last, when it waited for any. */
  waitedFor?: string;
  critical: boolean;
  changed: boolean;
  failure?: ServiceFailure;
  notes: string[];
}

export interface Segment {
  state: 'waiting' | 'applying' | 'starting' | 'removing';
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
  /** What happened in it, each thing once. */
  details: string[];
}

export interface ReportedCheck {
  service: string;
  name: string;
  /** What it proves. */
  reason: string;
  state: CheckProgress['state'];
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
  /** What proved it, or what came back instead. */
  text?: string;
  /** File on the worker's machine. */
  evidence?: string;
}

/** An attempt that followed a failed one. */
export interface Attempt {
  /** Milliseconds since the epoch. */
  at: number;
  /** What was tried: the activity's summary, or its name. */
  what: string;
  attempt: number;
  /** Why the one before it failed. */
  message: string;
}

export interface ReportSource {
  run: { workflowId: string; runId: string };
  environment: string;
  requestedBy: string;
  events: readonly DeploymentEvent[];
  retries: readonly Attempt[];
  /** Somebody has ended it from outside: when, and what that means. */
  terminated?: { at: number; message: string };
  version?: PlatformVersion;
  changes?: NonNullable<OperationReport['changes']>;
  /** Milliseconds since the epoch. */
  now: number;
}

export function reportOf({
  run,
  environment,
  requestedBy,
  events,
  retries,
  terminated,
  now,
  ...rest
}: ReportSource): OperationReport {
  const view = events.reduce(applyEvent, emptyProgress());
  const { plan, finished } = view;
  const endedAt = finished ? view.startedAt + finished.seconds * 1000 : (terminated?.at ?? now);
  const plannedAt = events.find(({ kind }) => kind === 'plan');
  const begin = plannedAt?.kind === 'plan' ? plannedAt.at : view.startedAt;
  const criticalPath = finished?.criticalPath ?? plan?.criticalPath ?? [];
  const services = (plan?.services ?? []).map((service): ReportedService => {
    const outcome =
      finished?.services.find(({ name }) => name === service.name) ?? view.services[service.name]?.outcome;
    return {
      name: service.name,
      phase: service.phase,
      action: service.action,
      reason: service.reason,
      state: outcome?.state ?? stateOf(view, service.name),
      segments: segmentsOf(service.name, events, begin, endedAt),
      critical: criticalPath.includes(service.name),
      changed: outcome?.changed ?? false,
      ...(outcome?.failure ? { failure: outcome.failure } : {}),
      notes: outcome?.notes ?? [],
    };
  });
  return {
    environment,
    operation: finished?.operation ?? plan?.operation ?? 'deploy',
    ...run,
    requestedBy,
    startedAt: view.startedAt,
    endedAt,
    outcome: finished?.outcome ?? (terminated ? 'terminated' : 'running'),
    planDigest: finished?.planDigest ?? plan?.digest ?? '',
    criticalPath,
    criticalPathSeconds: finished?.criticalPathSeconds ?? plan?.criticalPathSeconds ?? 0,
    ...(terminated ? { failure: { type: 'Terminated', message: terminated.message } } : {}),
    ...(finished?.failure ? { failure: finished.failure } : {}),
    phases: plan?.phases ?? [],
    services: withWaitedFor(services, plan),
    retries: [...retries].sort((a, b) => a.at - b.at),
    checks: checksOf(view, endedAt),
    holds: holdsIn(events, endedAt),
    acts: actsOf(view),
    ...rest,
  };
}

function checksOf({ plan, checks = {}, finished }: DeploymentProgress, end: number): ReportedCheck[] {
  const planned = new Map((plan?.checks ?? []).map((check) => [checkKey(check), check]));
  const place = [...planned.keys()];
  const outcomes = new Map((finished?.checks ?? []).map((check) => [checkKey(check), check]));
  return Object.entries(checks)
    .map(([key, { service, name, state, since, ended, text }]): ReportedCheck => {
      const evidence = outcomes.get(key)?.evidence;
      return {
        service,
        name,
        reason: planned.get(key)?.reason ?? '',
        state,
        from: since,
        to: ended ?? end,
        ...(text === undefined ? {} : { text }),
        ...(evidence === undefined ? {} : { evidence }),
      };
    })
    .toSorted((a, b) => place.indexOf(checkKey(a)) - place.indexOf(checkKey(b)));
}

/** States that are passed, from the plan on; the final one ends the last of them. */
function segmentsOf(name: string, events: readonly DeploymentEvent[], begin: number, end: number): Segment[] {
  const own = events.flatMap((event) =>
    event.kind === 'progress' && event.event.service === name ? [event.event] : [],
  );
  if (own.length === 0) return [];
  const segments: Segment[] = [{ state: 'waiting', from: begin, to: end, details: [] }];
  for (const { state, at, detail } of own) {
    const last = segments.at(-1) as Segment;
    if (FINAL_STATES.includes(state)) {
      last.to = at;
      break;
    }
    if (state !== last.state) {
      last.to = at;
      segments.push({ state: state as Segment['state'], from: at, to: end, details: [] });
    }
    const current = segments.at(-1) as Segment;
    if (detail !== undefined && !current.details.includes(detail)) current.details.push(detail);
  }
  return segments.filter(({ from, to, details }) => to > from || details.length > 0);
}

function withWaitedFor(services: ReportedService[], plan: OperationPlan | undefined): ReportedService[] {
  const endOf = new Map(
    services
      .filter(({ state }) => GOOD_STATES.includes(state))
      .map(({ name, segments }) => [name, segments.at(-1)?.to ?? 0]),
  );
  return services.map((service) => {
    const dependsOn = plan?.services.find(({ name }) => name === service.name)?.dependsOn ?? [];
    const last = dependsOn
      .filter((name) => (endOf.get(name) ?? 0) > 0)
      .sort((a, b) => (endOf.get(b) ?? 0) - (endOf.get(a) ?? 0))[0];
    const waited = service.segments.some(({ state, from, to }) => state === 'waiting' && to > from);
    return last === undefined || !waited ? service : { ...service, waitedFor: last };
  });
}

/** Seconds in each state. */
export function secondsIn({ segments }: Pick<ReportedService, 'segments'>): Partial<Record<Segment['state'], number>> {
  const sums: Partial<Record<Segment['state'], number>> = {};
  for (const { state, from, to } of segments) sums[state] = (sums[state] ?? 0) + (to - from) / 1000;
  return sums;
}
