/** For logs and pipes: one line per change, with the time since the deployment began. */
import { checkSeconds, isNoop } from '../../plan/progress.ts';
import { clock, count, duration, oneLine } from '../shared/format.ts';
import { namedLine } from '../shared/pod-line.ts';
import { detailOf, type LiveEvent, type LiveView, remaining } from './live.ts';
import { describeRemaining, describeSlow } from './pace-words.ts';
import { waitText } from './waits.ts';

/** @param now milliseconds since the epoch, for events without a time of their own */
export function plainLine(event: LiveEvent, view: LiveView, now: number): string | undefined {
  const at = (time: number): string =>
    view.progress.startedAt === 0 ? '   -' : clock((time - view.progress.startedAt) / 1000).padStart(5);
  switch (event.kind) {
    case 'started':
      return `${at(event.at)}  planning`;
    case 'plan': {
      const { services, criticalPathSeconds, digest } = event.plan;
      const todo = services.filter(({ action }) => !isNoop(action)).length;
      const excluded = services.filter(({ action }) => action === 'excluded').length;
      return `${at(event.at)}  plan ${digest}: ${count(services.length, 'service')}${excluded > 0 ? `, ${excluded} not selected` : ''}, ${todo === 0 ? 'nothing to do' : `${todo} to do, critical path about ${duration(criticalPathSeconds)}`}`;
    }
    case 'progress': {
      const { service, state, outcome } = event.event;
      const detail = detailOf({ ...view.progress, services: { [service]: event.event } }, service);
      if (state === 'waiting') return undefined;
      const tail = outcome?.failure
        ? `: ${oneLine(outcome.failure.message)}`
        : detail === ''
          ? ''
          : `: ${oneLine(detail)}`;
      return `${at(event.event.at)}  ${service} ${state}${outcome && outcome.seconds > 0 ? ` after ${duration(outcome.seconds)}` : ''}${tail}`;
    }
    case 'waits':
      return event.wait === undefined
        ? `${at(event.at)}  goes on`
        : `${at(event.at)}  ${waitText(event.wait, event.at)}`;
    case 'check': {
      const { service, name, state, text } = event.check;
      const seconds = checkSeconds(view.progress, event.check);
      const took = seconds === undefined ? '' : ` after ${duration(seconds)}`;
      const tail = text === undefined ? '' : `: ${oneLine(text)}`;
      return `${at(event.at)}  check ${service}/${name} ${state}${took}${tail}`;
    }
    case 'steering':
      return `${at(event.at)}  ${oneLine(event.steering.news)}`;
    case 'retry':
      return `${at(now)}  try ${event.attempt} of ${event.activity}: ${oneLine(event.message)}`;
    case 'cause':
      return `${at(now)}  ${event.release} waits: ${oneLine(event.message)}`;
    case 'past': {
      const known = remaining(view, now);
      return known === null ? undefined : `${at(now)}  ${describeRemaining(known)}`;
    }
    case 'slow':
      return `${at(now)}  ${describeSlow(event.slow)}`;
    case 'log': {
      const { name, text } = namedLine(event.line);
      return `       ${name} | ${text}`;
    }
    case 'trouble-log':
    case 'retry-over':
    case 'cause-over':
      return undefined;
    case 'finished':
      return `${at(view.progress.startedAt + event.result.seconds * 1000)}  ${event.result.outcome}`;
  }
}
