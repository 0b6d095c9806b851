/** Why a request cannot be carried out now, in words for whoever asked. Pure. */
import type { Steering, SteerRequest } from '../../contract/operations/steering.ts';
import type { Operation, OperationPlan } from '../../contract/operations/plan.ts';
import { FINAL_STATES } from '../../contract/operations/states.ts';
import { suggestion } from '../../suggest.ts';
import { type DeploymentProgress, isNoop, stateOf } from '../progress.ts';
import { emptySteering } from './state.ts';
import { targetOf } from './targets.ts';

export interface Steered {
  operation: Operation;
  view: DeploymentProgress;
  /** All services have ended, or will without anything further. */
  over: boolean;
}

/** @returns undefined where nothing stands against it */
export function refusalOf(steered: Steered, request: SteerRequest): string | undefined {
  const { operation, view, over } = steered;
  const steering = view.steering ?? emptySteering();
  if (request.verb === 'resume') return resumeRefusal(steering);
  if (operation === 'adopt') return 'An adoption takes a moment, and has no services that could be steered.';
  const answered = answeredRefusal(steering, request);
  if (answered !== undefined) return answered;
  if (over) return 'All services have ended: what is left of the operation cannot be steered, only cancelled.';
  switch (request.verb) {
    case 'pause':
      return pauseRefusal(view, steering, request.at);
    case 'retry':
      return retryRefusal(view, steering, request.service);
    case 'skip':
      if (operation === 'destroy')
        return 'A destruction leaves no service out: what something depends on cannot go before it. To stop it: cancel.';
      return notStartedRefusal(view, request.service) ?? skipRefusal(view, steering, request.service);
    case 'extend':
      if (operation === 'destroy') return 'A destruction waits for no health: there is no deadline to extend.';
      if (request.service === undefined) return undefined;
      return notStartedRefusal(view, request.service) ?? extendRefusal(view, request.service);
    case 'abandon':
      return steering.questions[request.service] === undefined
        ? `Nobody is asked about ${request.service} (${asked(steering)}).`
        : undefined;
  }
}

/** A link answers the question that it was made for, once. */
function answeredRefusal({ questions }: Steering, request: SteerRequest): string | undefined {
  if (!('question' in request)) return undefined;
  return questions[request.service]?.since === request.question
    ? undefined
    : `The question about ${request.service} of ${request.question} is answered already, or its time is over.`;
}

function resumeRefusal({ paused, pauseAt }: Steering): string | undefined {
  return paused === undefined && pauseAt.length === 0
    ? 'It is not paused, and no pause is to come: there is nothing to resume.'
    : undefined;
}

function pauseRefusal(view: DeploymentProgress, { paused, pauseAt }: Steering, at?: string): string | undefined {
  if (at === undefined)
    return paused && `It is paused already, by ${paused.by} since ${paused.since}: ${paused.reason}`;
  if (pauseAt.some((pause) => pause.at === at)) return `It will pause at ${at} already.`;
  const { plan } = view;
  if (plan === undefined) return undefined;
  const targets = targetOf(plan, at);
  if (targets.length === 0) return unknownTarget(plan, at);
  const begun = targets.filter((name) => stateOf(view, name) !== 'waiting');
  if (begun.length === 0) return undefined;
  return targets.length === 1
    ? `${at} has begun already: it is ${stateOf(view, at)}.`
    : `Phase ${at} has begun already: ${begun.map((name) => `${name} is ${stateOf(view, name)}`).join(', ')}.`;
}

function unknownTarget(plan: OperationPlan, at: string): string {
  const noop = plan.services.find(({ name, phase }) => name === at || String(phase) === at);
  if (noop)
    return `Nothing is done to ${noop.name === at ? at : `phase ${at}`} in this operation: it would never be reached.`;
  const known = [...plan.services.map(({ name }) => name), ...plan.phases.map(({ number }) => String(number))];
  return `There is no service or phase "${at}" in this operation${suggestion(at, known) || '.'}`;
}

function retryRefusal(view: DeploymentProgress, { skips }: Steering, service: string): string | undefined {
  if (view.plan === undefined) return 'There is no plan yet: nothing has failed that could be tried again.';
  const unfit = notStartedRefusal(view, service);
  if (unfit !== undefined) return unfit;
  if (skips[service] !== undefined) return `${service} was ${skips[service]}.`;
  const state = stateOf(view, service);
  return state === 'failed' ? undefined : `${service} has not failed: it is ${state}.`;
}

/** Why nothing can be done about the service: it is not part of the plan, or nothing is done to it. */
function notStartedRefusal({ plan }: DeploymentProgress, service: string): string | undefined {
  if (plan === undefined) return undefined;
  const planned = plan.services.find(({ name }) => name === service);
  if (planned === undefined)
    return `There is no service "${service}" in this operation${
      suggestion(
        service,
        plan.services.map(({ name }) => name),
      ) || '.'
    }`;
  if (!isNoop(planned.action)) return undefined;
  return planned.action === 'excluded'
    ? `${service} was not selected: nothing is done to it.`
    : `${service} is as wanted already: nothing is done to it.`;
}

function skipRefusal(view: DeploymentProgress, { skips }: Steering, service: string): string | undefined {
  if (skips[service] !== undefined) return `${service} was ${skips[service]}.`;
  const state = stateOf(view, service);
  return state !== 'failed' && FINAL_STATES.includes(state)
    ? `${service} has ended already: it is ${state}.`
    : undefined;
}

function extendRefusal(view: DeploymentProgress, service: string): string | undefined {
  const state = stateOf(view, service);
  if (state === 'failed') return `${service} has failed already: retry tries it again, with a deadline of its own.`;
  return FINAL_STATES.includes(state) ? `${service} has ended already: it is ${state}.` : undefined;
}

function asked({ questions }: Steering): string {
  const open = Object.keys(questions);
  return open.length === 0 ? 'no question is open' : `open: ${open.join(', ')}`;
}
