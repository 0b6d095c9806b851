/** The part of an operation's steering that its phases are sent. Pure. */
import type { PhaseSteering } from '../../contract/operations/steering.ts';
import type { DeploymentProgress } from '../progress.ts';
import { isAtRest, restOutcomes, stopReason } from './rest.ts';
import { emptySteering } from './state.ts';
import { targetOf } from './targets.ts';

/** @param ended the operation starts nothing further, even where the view does not show it yet */
export function phaseSteering(view: DeploymentProgress, ended: boolean): Omit<PhaseSteering, 'number'> {
  const { plan, steering = emptySteering() } = view;
  const stop = stopReason(view);
  const over = ended || isAtRest(view) ? restOutcomes(view) : {};
  // Phases in which every service is healthy end by themselves and are sent nothing.
  const isOver = Object.keys(over).length > 0 || ((ended || isAtRest(view)) && hasFailed(view));
  return {
    paused: steering.paused !== undefined,
    pauseAt: plan === undefined ? [] : [...new Set(steering.pauseAt.flatMap(({ at }) => targetOf(plan, at)))],
    ...(stop === undefined ? {} : { stop }),
    retries: steering.retries,
    skips: steering.skips,
    extensions: steering.extensions,
    ...(isOver ? { over } : {}),
  };
}

function hasFailed({ services }: DeploymentProgress): boolean {
  return Object.values(services).some(({ state }) => state === 'failed');
}
