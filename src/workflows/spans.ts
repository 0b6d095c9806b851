/**
 * Spans of services within their phase, beside those that the SDK's plug-in makes of workflows, signals and activities.
 * Without the plug-in in the bundle there is no tracer behind this, and it costs nothing. Nothing here waits: the order
 * in which things happen is the same with and without.
 */
import { context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ServiceOutcome } from '../contract/operations/deploy.ts';
import type { PlannedService } from '../contract/operations/plan.ts';

export interface ServiceSpan {
  /** It no longer waits for what it depends on. */
  started(): void;
  /** What begins in here belongs to the service. */
  within<T>(work: () => T): T;
  ended(outcome: ServiceOutcome): void;
}

export function beginService({ name, phase, action, namespace }: PlannedService): ServiceSpan {
  const tracer = trace.getTracer('ananta');
  const attributes = {
    'ananta.service': name,
    'ananta.phase': phase,
    'ananta.action': action,
    'k8s.namespace.name': namespace,
  };
  const span: Span = tracer.startSpan(`service ${name}`, { attributes });
  const inside = trace.setSpan(context.active(), span);
  const waiting = tracer.startSpan('wait for dependencies', { attributes: { 'ananta.service': name } }, inside);
  return {
    started: () => {
      waiting.end();
    },
    within: (work) => context.with(inside, work),
    ended: ({ state, failure, changed }) => {
      span.setAttributes({ 'ananta.state': state, 'ananta.changed': changed });
      if (failure) span.setAttribute('error.type', failure.type);
      span.setStatus({ code: state === 'failed' ? SpanStatusCode.ERROR : SpanStatusCode.OK });
      span.end();
    },
  };
}
