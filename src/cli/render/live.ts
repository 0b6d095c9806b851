/**
 * What the pictures need beyond the deployment's own view: since when a service is at work, what is being retried.
 * Pure.
 */
import type { ServiceState } from '../../contract/operations/deploy.ts';
import { FINAL_STATES } from '../../contract/operations/states.ts';
import type { LogLine } from '../../plan/explain/log-line.ts';
import {
  applyEvent,
  type DeploymentEvent,
  type DeploymentProgress,
  emptyProgress,
  stateOf as progressState,
} from '../../plan/progress.ts';
import type { PastRun } from '../../plan/remaining/past.ts';
import { type Remaining, remainingOf, type Slow, slowServices } from '../../plan/remaining/remaining.ts';

/** An activity that did not succeed at once. */
export interface RetryEvent {
  kind: 'retry';
  /** Which one it is, as long as it goes on. */
  id: string;
  activity: string;
  phase?: number;
  /** The attempt that is coming or under way; the first is 1. */
  attempt: number;
  /** Why the one before it failed. */
  message: string;
}
/** The activity has succeeded or failed for good: nothing is retried any more. */
export interface RetryOver {
  kind: 'retry-over';
  id: string;
}

/** A wait has met what somebody may have to do something about: a quota, a pod that cannot be made. */
export interface CauseEvent {
  kind: 'cause';
  id: string;
  release: string;
  phase?: number;
  message: string;
}
export interface CauseOver {
  kind: 'cause-over';
  id: string;
}

/** Earlier runs have been read: from now on the time that is left is shown, or that it is not known. */
export interface PastEvent {
  kind: 'past';
  runs: readonly PastRun[];
}
/** A service takes longer than in every earlier run; sent once for each. */
export interface SlowEvent {
  kind: 'slow';
  slow: Slow;
}

/** A line of a pod of the service that was asked for (`--follow`), cleaned of the platform's values. */
export interface LogEvent {
  kind: 'log';
  service: string;
  line: LogLine;
}
/** The ends of logs of a release's pods that have met something, cleaned. */
export interface TroubleLogEvent {
  kind: 'trouble-log';
  release: string;
  lines: LogLine[];
}

/** Everything that a renderer gets about the deployment itself. */
export type LiveEvent =
  | DeploymentEvent
  | RetryEvent
  | RetryOver
  | CauseEvent
  | CauseOver
  | PastEvent
  | SlowEvent
  | LogEvent
  | TroubleLogEvent;

export interface LiveView {
  progress: DeploymentProgress;
  /** Milliseconds since the epoch at which the service stopped waiting. */
  activeSince: Record<string, number>;
  /** What is being tried again right now, by its id. */
  retries: Record<string, RetryEvent>;
  /** What waits have met and still meet, by the wait's id. */
  causes: Record<string, CauseEvent>;
  /** Absent until they have been read. */
  past?: readonly PastRun[];
  /** The newest lines of the service that was asked for. */
  log: readonly LogLine[];
  /** By release, for as long as its wait has met something. */
  troubleLog: Record<string, LogLine[]>;
}

/** More than any terminal shows of it. */
const KEPT_LINES = 100;

export function emptyLive(startedAt = 0): LiveView {
  return { progress: emptyProgress(startedAt), activeSince: {}, retries: {}, causes: {}, log: [], troubleLog: {} };
}

/** @returns a new view */
export function applyLive(view: LiveView, event: LiveEvent): LiveView {
  if (event.kind === 'retry') return { ...view, retries: { ...view.retries, [event.id]: event } };
  if (event.kind === 'retry-over') {
    const { [event.id]: _over, ...retries } = view.retries;
    return { ...view, retries };
  }
  if (event.kind === 'cause') return { ...view, causes: { ...view.causes, [event.id]: event } };
  if (event.kind === 'cause-over') {
    const { [event.id]: over, ...causes } = view.causes;
    const { [over?.release ?? '']: _lines, ...troubleLog } = view.troubleLog;
    return { ...view, causes, troubleLog };
  }
  if (event.kind === 'past') return { ...view, past: event.runs };
  if (event.kind === 'slow') return view;
  if (event.kind === 'log') return { ...view, log: [...view.log, event.line].slice(-KEPT_LINES) };
  if (event.kind === 'trouble-log')
    return { ...view, troubleLog: { ...view.troubleLog, [event.release]: event.lines } };
  const progress = applyEvent(view.progress, event);
  if (event.kind !== 'progress') return { ...view, progress };
  const { service, state, at } = event.event;
  if (progress === view.progress) return view;
  const begins = view.activeSince[service] === undefined && state !== 'waiting' && !FINAL_STATES.includes(state);
  return { ...view, progress, activeSince: begins ? { ...view.activeSince, [service]: at } : view.activeSince };
}

export function stateOf(view: LiveView, service: string): ServiceState {
  return progressState(view.progress, service);
}

export interface Counts {
  total: number;
  ended: number;
  active: number;
  waiting: number;
  failed: number;
}

export function counts(
  view: LiveView,
  services: readonly string[] = (view.progress.plan?.services ?? [])
    .filter(({ action }) => action !== 'excluded')
    .map(({ name }) => name),
): Counts {
  const result: Counts = { total: services.length, ended: 0, active: 0, waiting: 0, failed: 0 };
  for (const name of services) {
    const state = stateOf(view, name);
    if (FINAL_STATES.includes(state)) result.ended += 1;
    else if (state === 'waiting') result.waiting += 1;
    else result.active += 1;
    if (state === 'failed') result.failed += 1;
  }
  return result;
}

/**
 * Seconds that the longest path still ahead needs, from the plan's declared times.
 * @param now milliseconds since the epoch
 * @returns undefined without a plan, or when nothing is left
 */
export function secondsLeft(view: LiveView, now: number): number | undefined {
  let left: number | undefined;
  for (const service of view.progress.plan?.services ?? []) {
    const state = stateOf(view, service.name);
    if (FINAL_STATES.includes(state)) continue;
    const since = view.activeSince[service.name];
    const seconds = Math.max(1, service.remainingSeconds - (since === undefined ? 0 : (now - since) / 1000));
    left = Math.max(left ?? 0, seconds);
  }
  return left;
}

/**
 * The time that is left, estimated from earlier runs; null where there are none, or they were not read.
 * @param now milliseconds since the epoch
 */
export function remaining(view: LiveView, now: number): Remaining | null {
  if (view.past === undefined || view.progress.plan === undefined || view.progress.finished) return null;
  return remainingOf(running(view, now), view.past);
}

/** Services that take longer than ever before. @param now milliseconds since the epoch */
export function slow(view: LiveView, now: number): Slow[] {
  return view.past === undefined || view.progress.finished ? [] : slowServices(running(view, now), view.past);
}

function running(view: LiveView, now: number): Parameters<typeof remainingOf>[0] {
  return {
    services: view.progress.plan?.services ?? [],
    ended: (service) => FINAL_STATES.includes(stateOf(view, service)),
    elapsed: (service) => {
      const since = view.activeSince[service];
      return since === undefined ? undefined : (now - since) / 1000;
    },
  };
}

/** The newest detail of a service, without what stands beside it anyway: its own name. */
export function detailOf({ services }: DeploymentProgress, service: string): string {
  const detail = services[service]?.detail ?? '';
  return detail === `waits for ${service} to be healthy`
    ? 'pods, then its health check'
    : detail.replace(new RegExp(`^${service}: `), '');
}
