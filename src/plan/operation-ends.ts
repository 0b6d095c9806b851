/** How far an operation has come, for what waits for its end. Pure. */
import { GOOD_STATES, STOPPED } from '../contract/operations/states.ts';
import type { ServiceOutcome } from '../contract/operations/deploy.ts';
import { type DeploymentProgress, isLeftOut, outcomes, stateOf } from './progress.ts';

/** Whether something is left undone: it was never planned, or a service was stopped or cancelled. */
export function isUnfinished(view: DeploymentProgress): boolean {
  return !view.plan || outcomes(view).some(({ state, failure }) => state === 'cancelled' || failure?.type === STOPPED);
}

/** @param id of a step that phases carry out, or that stands for all of those */
export function endedWell(view: DeploymentProgress, id: string): boolean {
  const step = view.plan?.steps?.find((candidate) => candidate.id === id);
  if (step?.kind === 'services')
    return outcomes(view).every((end) => GOOD_STATES.includes(end.state) || isLeftOut(end) || isNotSelected(end));
  return step?.service === undefined || GOOD_STATES.includes(stateOf(view, step.service));
}

/** Nothing was to be done to it from the beginning; whatever is skipped later has a reason. */
function isNotSelected({ state, failure }: ServiceOutcome): boolean {
  return state === 'skipped' && failure === undefined;
}
