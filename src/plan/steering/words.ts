/** How an operation was steered, in words. Pure. */
import type { Intervention, Pause, Question, Steering, SteerRequest } from '../../contract/operations/steering.ts';
import { type DeploymentProgress, stateOf } from '../progress.ts';

/** `skip of redis by ops@host: cache is not needed` */
export function interventionText(request: SteerRequest | Intervention): string {
  const why = request.reason === undefined ? '' : `: ${request.reason}`;
  return `${what(request)} by ${request.by}${why}`;
}

function what(request: SteerRequest): string {
  switch (request.verb) {
    case 'pause':
      return request.at === undefined ? 'paused' : `pause at ${placeText(request.at)} asked for`;
    case 'resume':
      return 'resumed';
    case 'retry':
      return `${request.service} tried again`;
    case 'skip':
      return `${request.service} skipped`;
    case 'extend':
      return `health deadline of ${request.service ?? 'all services'} extended by ${request.seconds} s`;
    case 'abandon':
      return `${request.service} given up${request.then === undefined ? '' : `, then ${request.then}`}`;
  }
}

/** The part of it that says whom the operation waits for, as a memo has it. */
interface Waits {
  paused?: (Omit<Pause, 'before'> & { before?: string | undefined }) | undefined;
  questions: Steering['questions'];
  pauseAt: Steering['pauseAt'];
}

/** A service by its name, a phase by its number. */
export function placeText(at: string): string {
  return /^\d+$/.test(at) ? `phase ${at}` : at;
}

/** Whom it waits for, a line each; empty while it waits for nobody. */
export function heldLines({ paused, questions, pauseAt }: Waits): string[] {
  return [
    ...(paused === undefined
      ? []
      : [
          `Paused${paused.before === undefined ? '' : ` before ${paused.before}`} by ${paused.by} since ${paused.since}: ${paused.reason}`,
        ]),
    ...Object.values(questions).map(questionText),
    ...pauseAt.map(({ at, by, reason }) => `Pauses at ${placeText(at)}, as ${by} asked: ${reason}`),
  ];
}

export function questionText({ service, failure, until, then }: Question): string {
  return `${service} failed (${failure}): retry, skip or abandon it until ${until}, then ${then}`;
}

/** The answer to a request: what follows from it. @param view after the request */
export function answerText(request: SteerRequest, view: DeploymentProgress): string {
  switch (request.verb) {
    case 'pause':
      return request.at === undefined
        ? 'Paused: Helm at work ends its release, nothing further starts, what waits for health goes on waiting.'
        : `It pauses when the turn of ${placeText(request.at)} has come.`;
    case 'resume':
      return view.steering?.paused === undefined ? 'It goes on.' : 'It is paused.';
    case 'retry':
      return `${request.service} is tried again; what depends on it waits for it again.`;
    case 'skip':
      return skipText(request.service, view);
    case 'extend':
      return `The health deadline of ${request.service ?? 'every service that has not ended'} is ${request.seconds} s later.`;
    case 'abandon':
      return `${request.service} stays failed; then: ${view.steering?.decisions[request.service] ?? 'stop'}.`;
  }
}

function skipText(service: string, view: DeploymentProgress): string {
  const without = goesWithout(service, view);
  const lost = lostWith(service, view);
  return [
    `${service} is skipped.`,
    ...(lost.length === 0 ? [] : [`Not started without it: ${lost.join(', ')}.`]),
    ...(without.length === 0 ? [] : [`Goes on without it: ${without.join(', ')}.`]),
  ].join(' ');
}

function goesWithout(service: string, { plan }: DeploymentProgress): string[] {
  return (plan?.services ?? [])
    .filter(({ optionalDependencies = [] }) => optionalDependencies.includes(service))
    .map(({ name }) => name);
}

/** All that needs it, at whatever distance, and has not ended. */
function lostWith(service: string, view: DeploymentProgress): string[] {
  const lost = new Set([service]);
  for (const name of lost)
    for (const { name: dependent, dependsOn, optionalDependencies = [] } of view.plan?.services ?? []) {
      const can = name === service && optionalDependencies.includes(name);
      if (dependsOn.includes(name) && !can && stateOf(view, dependent) === 'waiting') lost.add(dependent);
    }
  lost.delete(service);
  return [...lost];
}
