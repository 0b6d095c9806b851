/**
 * Where spans go, if anywhere: nothing of OpenTelemetry is loaded until somebody wants traces (src/clients/telemetry).
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** Of a fixed list, names of the catalog, numbers: never a value, an argument or a message. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface Spans {
  /** @param work gets the W3C context of the span as variables for a child process */
  run<T>(
    name: string,
    attributes: SpanAttributes,
    work: (variables: Readonly<Record<string, string>>) => Promise<T>,
  ): Promise<T>;
  /** Adds attributes to the current span. */
  annotate(attributes: SpanAttributes): void;
}

const silent: Spans = {
  run: (_name, _attributes, work) => work({}),
  annotate: () => undefined,
};
let spans = silent;

/** For the whole process. @param given undefined: spans are dropped */
export function useSpans(given: Spans | undefined): void {
  spans = given ?? silent;
}

/** Around work that is worth seeing on its own. An error marks the span with its class, not with its text. */
export const inSpan: Spans['run'] = (name, attributes, work) => spans.run(name, attributes, work);

export function annotateSpan(attributes: SpanAttributes): void {
  spans.annotate(attributes);
}

/** A queue runs work in the context of whoever made room for it: this keeps that of whoever put it there. */
export function keepingSpan<T>(work: () => T): () => T {
  const within = AsyncLocalStorage.snapshot();
  return () => within(work);
}
