/** How each request changes what is known of the steering of an operation. Pure; requests were validated before. */
import type { Intervention, Pause, Question, Steering, SteerRequest } from '../../contract/operations/steering.ts';
import { dueServices, targetOf } from './targets.ts';
import { interventionText, placeText, questionText } from './words.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';

export const ALL = '*';

export function emptySteering(): Steering {
  return {
    pauseAt: [],
    retries: {},
    skips: {},
    extensions: {},
    questions: {},
    decisions: {},
    news: '',
    interventions: [],
  };
}

/** @param when ISO 8601 */
export function intervene(steering: Steering, request: SteerRequest, when: string): Steering {
  const intervention: Intervention = { ...request, when };
  const next = {
    ...steering,
    news: interventionText(request),
    interventions: [...steering.interventions, intervention],
  };
  switch (request.verb) {
    case 'pause': {
      const { by, reason, at } = request;
      if (at === undefined) return { ...next, paused: { by, reason, since: when } };
      return { ...next, pauseAt: [...steering.pauseAt, { at, by, reason }] };
    }
    case 'resume': {
      const { paused, ...rest } = next;
      // Where nothing is paused yet, what is taken back is the pause that was to come.
      return paused === undefined ? { ...rest, pauseAt: [] } : rest;
    }
    case 'retry': {
      const { service } = request;
      return {
        ...settled(next, service),
        retries: { ...steering.retries, [service]: (steering.retries[service] ?? 0) + 1 },
      };
    }
    case 'skip': {
      const { service, by, reason } = request;
      return { ...settled(next, service), skips: { ...steering.skips, [service]: `skipped by ${by}: ${reason}` } };
    }
    case 'extend': {
      const key = request.service ?? ALL;
      return {
        ...next,
        extensions: { ...steering.extensions, [key]: (steering.extensions[key] ?? 0) + request.seconds },
      };
    }
    case 'abandon': {
      const { service, then } = request;
      const decision = then ?? steering.questions[service]?.then ?? 'stop';
      const { questions, decisions } = settled(next, service);
      return { ...next, questions, decisions: { ...decisions, [service]: decision } };
    }
  }
}

/** The question about the service is answered. */
function settled(steering: Steering, service: string): Steering {
  const { [service]: _answered, ...questions } = steering.questions;
  const { [service]: _before, ...decisions } = steering.decisions;
  return { ...steering, questions, decisions };
}

export function ask(steering: Steering, question: Question): Steering {
  return {
    ...steering,
    news: questionText(question),
    questions: { ...steering.questions, [question.service]: question },
  };
}

/** Nobody has answered in time: the environment says what follows. */
export function unanswered(steering: Steering, { service, since, until, then }: Question, when: string): Steering {
  const seconds = Math.round((Date.parse(until) - Date.parse(since)) / 1000);
  const reason = `nobody answered within ${seconds} s`;
  return intervene(steering, { verb: 'abandon', by: 'the environment', service, reason, then }, when);
}

/** A request that gets no answer, a signal, was refused. */
export function turnedDown(steering: Steering, why: string): Steering {
  return { ...steering, news: `a signal to steer it was refused: ${why}` };
}

/** The turn of a service has come that a pause was asked for at: everything pauses, once. */
export function reached(steering: Steering, plan: OperationPlan, service: string, when: string): Steering {
  const { pauseAt } = steering;
  const met = pauseAt.filter(({ at }) => targetOf(plan, at).includes(service));
  const first = met[0];
  if (first === undefined) return steering;
  const paused: Pause = steering.paused ?? { by: first.by, reason: first.reason, since: when, before: service };
  return {
    ...steering,
    paused,
    news: `paused before ${service}, as ${first.by} asked: ${first.reason}`,
    pauseAt: pauseAt.filter((one) => !met.includes(one)),
  };
}

/** @returns seconds that were added to the health deadline of a service */
export function extensionOf({ extensions }: Pick<Steering, 'extensions'>, service: string): number {
  return (extensions[ALL] ?? 0) + (extensions[service] ?? 0);
}

/**
 * What was asked for before there was a plan, as far as the plan has what it is about.
 * @returns with a line for each thing that it does not have
 */
export function fitted(steering: Steering, plan: OperationPlan): { steering: Steering; lost: string[] } {
  const due = dueServices(plan);
  const lost: string[] = [];
  const kept = <T>(entries: Record<string, T>, what: string): Record<string, T> =>
    Object.fromEntries(
      Object.entries(entries).filter(([service]) => {
        const known = service === ALL || due.includes(service);
        if (!known) lost.push(`${what} of ${service} had no effect: the plan does nothing to it`);
        return known;
      }),
    );
  const pauseAt = steering.pauseAt.filter(({ at }) => {
    const known = targetOf(plan, at).length > 0;
    if (!known) lost.push(`The pause at ${placeText(at)} had no effect: the plan does nothing there`);
    return known;
  });
  const skips = kept(steering.skips, 'The skip');
  const extensions = kept(steering.extensions, 'The extension');
  return lost.length === 0
    ? { steering, lost }
    : { steering: { ...steering, pauseAt, skips, extensions, news: lost.join('; ') }, lost };
}
