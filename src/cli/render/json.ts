/** One JSON object a line, each with a `type`; the last one is the result. */
import type { OperationResult } from '../../contract/operations/deploy.ts';
import type { Steering } from '../../contract/operations/steering.ts';
import { checkSeconds } from '../../plan/progress.ts';
import { type LiveEvent, type LiveView, remaining } from './live.ts';

export type JsonLine = {
  type:
    | 'started'
    | 'preview'
    | 'planning'
    | 'plan'
    | 'service'
    | 'waits'
    | 'check'
    | 'steering'
    | 'retry'
    | 'cause'
    | 'remaining'
    | 'slow'
    | 'log'
    | 'notice'
    | 'detached'
    | 'error'
    | 'result';
} & Record<string, unknown>;

/**
 * @param now milliseconds since the epoch, for events without a time of their own
 * @returns undefined for what comes as the result line instead
 */
export function jsonEvent(event: LiveEvent, view: LiveView, now = Date.now()): JsonLine | undefined {
  switch (event.kind) {
    case 'started':
      return { type: 'planning', at: iso(event.at) };
    case 'plan':
      return {
        type: 'plan',
        at: iso(event.at),
        digest: event.plan.digest,
        simulated: event.plan.simulated,
        criticalPathSeconds: event.plan.criticalPathSeconds,
        criticalPath: event.plan.criticalPath,
        services: event.plan.services.map(({ name, phase, action, reason, dependsOn }) => ({
          name,
          phase,
          action,
          reason,
          dependsOn,
        })),
      };
    case 'waits':
      return {
        type: 'waits',
        at: iso(event.at),
        ...(event.wait ?? { step: null }),
        ...(event.acts === undefined ? {} : { acts: event.acts }),
      };
    case 'check': {
      const { service, name, state, text } = event.check;
      const seconds = checkSeconds(view.progress, event.check);
      return {
        type: 'check',
        at: iso(event.at),
        service,
        name,
        state,
        ...(seconds === undefined ? {} : { seconds }),
        ...(text === undefined ? {} : { text }),
      };
    }
    case 'progress': {
      const { service, state, at, detail, outcome } = event.event;
      const phase = view.progress.plan?.services.find(({ name }) => name === service)?.phase;
      return {
        type: 'service',
        at: iso(at),
        name: service,
        phase,
        state,
        detail,
        ...(outcome ? { seconds: outcome.seconds, changed: outcome.changed, failure: outcome.failure } : {}),
        ...(view.past === undefined ? {} : { remaining: remaining(view, at) }),
      };
    }
    case 'steering':
      return { type: 'steering', at: iso(event.at), ...steeringJson(event.steering) };
    case 'retry':
      return {
        type: 'retry',
        phase: event.phase,
        activity: event.activity,
        attempt: event.attempt,
        message: event.message,
      };
    case 'cause':
      return { type: 'cause', phase: event.phase, release: event.release, message: event.message };
    case 'past':
      return { type: 'remaining', remaining: remaining(view, now) };
    case 'slow': {
      const { service: name, ...times } = event.slow;
      return { type: 'slow', name, ...times };
    }
    case 'log':
      return { type: 'log', service: event.service, ...event.line };
    case 'trouble-log':
    case 'retry-over':
    case 'cause-over':
    case 'finished':
      return undefined;
  }
}

/** For whom an operation waits, and what was said to it. */
export function steeringJson({ news, paused, pauseAt, questions, interventions }: Steering): Record<string, unknown> {
  return { news, paused: paused ?? null, pauseAt, questions: Object.values(questions), interventions };
}

export function jsonResult(result: OperationResult): JsonLine {
  const {
    operation,
    environment,
    workflowId,
    runId,
    outcome,
    seconds,
    criticalPathSeconds,
    services,
    checks,
    promotedFrom,
    version,
    toVersion,
    acts,
    givenBack,
    supersededBy,
    undone,
    remains,
    evidence,
    notes,
    failure,
  } = result;
  return {
    type: 'result',
    operation,
    environment,
    workflowId,
    runId,
    outcome,
    seconds,
    criticalPathSeconds,
    services: services.map(({ name, phase, state, seconds, changed }) => ({ name, phase, state, seconds, changed })),
    ...(checks === undefined ? {} : { checks }),
    ...(promotedFrom === undefined ? {} : { promotedFrom }),
    ...(version === undefined ? {} : { version }),
    ...(toVersion === undefined ? {} : { toVersion }),
    ...(acts === undefined ? {} : { acts }),
    ...(givenBack === undefined ? {} : { givenBack }),
    ...(supersededBy === undefined ? {} : { supersededBy }),
    ...(undone === undefined ? {} : { undone }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(notes === undefined ? {} : { notes }),
    ...(remains === undefined ? {} : { remains }),
    ...(failure === undefined ? {} : { failure }),
  };
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
