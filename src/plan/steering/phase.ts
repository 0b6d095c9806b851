/** What phases have to know of the steering of their operation. Pure. */
import type { PhaseSteering } from '../../contract/operations/steering.ts';
import type { DeploymentProgress } from '../progress.ts';
import { isAtRest, restOutcomes, stopReason } from './rest.ts';
import { emptySteering } from './state.ts';
import { targetOf } from './targets.ts';

/** @param ended nothing goes on any more, also where the view does not say so again */
export function phaseSteering(view: DeploymentProgress, ended: boolean): Omit<PhaseSteering, 'number'> {
  const { plan, steering = emptySteering() } = view;
  const stop = stopReason(view);
  const over = ended || isAtRest(view) ? restOutcomes(view) : {};
  // Phases in which all is well end by themselves, and need no word.
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
