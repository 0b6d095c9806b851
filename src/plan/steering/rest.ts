/**
 * Whether anything can still go on by itself, and how those end that cannot: until then what has failed may be tried
 * again. Pure.
 */
import type { PlannedService } from '../../contract/operations/plan.ts';
import {
  DEPENDENCY_FAILED,
  DEPENDENCY_SKIPPED,
  FINAL_STATES,
  GOOD_STATES,
  SKIPPED_BY_REQUEST,
  STOPPED,
} from '../../contract/operations/states.ts';
import { type DeploymentProgress, isNoop, stateOf } from '../progress.ts';
import { emptySteering } from './state.ts';

/** @returns why nothing further starts, while a failure stands that the environment, or an answer, stops for */
export function stopReason(view: DeploymentProgress): string | undefined {
  const { plan, steering = emptySteering() } = view;
  if (plan === undefined) return undefined;
  for (const { name } of plan.services) {
    if (view.services[name]?.state !== 'failed') continue;
    const mode = plan.onFailure === 'ask' ? steering.decisions[name] : plan.onFailure;
    if (mode === undefined || mode === 'continue') continue;
    const how = plan.onFailure === 'ask' ? `onFailure: ask, then: ${mode}` : `onFailure: ${mode}`;
    return `${name} failed, and nothing further starts then (${how})`;
  }
  return undefined;
}

/** Nothing is at work, nothing can start, nobody is asked, and nobody has paused it. */
export function isAtRest(view: DeploymentProgress): boolean {
  const { plan, steering = emptySteering() } = view;
  if (plan === undefined || steering.paused !== undefined || Object.keys(steering.questions).length > 0) return false;
  const stopped = stopReason(view) !== undefined;
  // A person is asked about it, or is about to be.
  const isOpen = (failed: string): boolean => plan.onFailure === 'ask' && steering.decisions[failed] === undefined;
  return plan.services.every((service) => {
    if (isNoop(service.action)) return true;
    const state = stateOf(view, service.name);
    // A service that was skipped ends by itself.
    if (state === 'waiting') return steering.skips[service.name] === undefined && (stopped || !isReady(view, service));
    if (state === 'failed') return steering.skips[service.name] === undefined && !isOpen(service.name);
    return FINAL_STATES.includes(state);
  });
}

/** How those end that have not started, by their names, when nothing goes on any more. */
export function restOutcomes(view: DeploymentProgress): Record<string, { type: string; message: string }> {
  const { plan } = view;
  const ends: Record<string, { type: string; message: string }> = {};
  const waiting = (plan?.services ?? []).filter(
    ({ name, action }) => !isNoop(action) && stateOf(view, name) === 'waiting',
  );
  const stopped = stopReason(view);
  const lost = ({ dependsOn, optionalDependencies = [] }: PlannedService): [string, boolean] | undefined => {
    for (const needed of dependsOn) {
      const outcome = view.services[needed]?.outcome;
      const type = outcome?.state === 'skipped' ? outcome.failure?.type : undefined;
      const bySkip = type === SKIPPED_BY_REQUEST || ends[needed]?.type === DEPENDENCY_SKIPPED;
      if (bySkip && !optionalDependencies.includes(needed)) return [needed, true];
      if (view.services[needed]?.state === 'failed' || ends[needed]?.type === DEPENDENCY_FAILED) return [needed, false];
    }
    return undefined;
  };
  // In the order of the graph, whatever the order of the plan.
  for (let before = -1; before !== Object.keys(ends).length; ) {
    before = Object.keys(ends).length;
    for (const service of waiting) {
      const found = ends[service.name] === undefined ? lost(service) : undefined;
      if (found === undefined) continue;
      const [missing, skipped] = found;
      ends[service.name] = {
        type: skipped ? DEPENDENCY_SKIPPED : DEPENDENCY_FAILED,
        message: lostText(service, missing, skipped),
      };
    }
  }
  for (const { name } of waiting)
    ends[name] ??= { type: STOPPED, message: `not started: ${stopped ?? 'nothing goes on any more'}` };
  return ends;
}

export function lostText({ action }: Pick<PlannedService, 'action'>, missing: string, skipped: boolean): string {
  if (skipped) return `${missing}, which it depends on, was skipped`;
  return action === 'remove'
    ? `${missing}, which depends on it, could not be removed`
    : `${missing}, which it depends on, did not become healthy`;
}

/** Skips that came when the service had become healthy already, and its phase had not said so yet: a line each. */
export function lateSkips(view: DeploymentProgress): string[] {
  return Object.keys(view.steering?.skips ?? {})
    .filter((name) => GOOD_STATES.includes(stateOf(view, name)))
    .map((name) => `The skip of ${name} came too late: it was ${stateOf(view, name)} by then`);
}

/** All that it depends on is there, or was skipped, and it can do without. */
export function isReady(
  view: DeploymentProgress,
  { dependsOn, optionalDependencies = [] }: Pick<PlannedService, 'dependsOn' | 'optionalDependencies'>,
): boolean {
  const noop = new Set((view.plan?.services ?? []).filter(({ action }) => isNoop(action)).map(({ name }) => name));
  return dependsOn.every((name) => {
    if (noop.has(name)) return true;
    const known = view.services[name];
    if (known === undefined) return false;
    if (GOOD_STATES.includes(known.state)) return true;
    return optionalDependencies.includes(name) && known.outcome?.failure?.type === SKIPPED_BY_REQUEST;
  });
}

/** Whether what was changed is taken back after a failure: where somebody is asked, only as the answer says. */
export function isUndoDue({ plan, steering = emptySteering(), services }: DeploymentProgress): boolean {
  if (plan?.onFailure !== 'ask') return true;
  const failed = Object.keys(services).filter((name) => services[name]?.state === 'failed');
  // Nobody is asked about a check that did not pass.
  if (failed.length === 0) return plan.ask?.then === 'rollback';
  return failed.some((name) => steering.decisions[name] === 'rollback');
}
