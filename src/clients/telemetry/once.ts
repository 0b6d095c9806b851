/**
 * Each span once. The last task of a workflow is carried out again when a signal has come while it was: spans that it
 * ended before it ends then, too, under the same ids, since those are the workflow's own and the same each time.
 */
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';

/** Of a task that is carried out again the spans are the newest. */
const REMEMBERED = 20_000;

/** @param remembered how many of the newest spans are known by their ids */
export function once(processor: SpanProcessor, remembered = REMEMBERED): SpanProcessor {
  const ended = new Set<string>();
  return {
    onStart: (span, context) => {
      processor.onStart(span, context);
    },
    onEnd: (span) => {
      const { traceId, spanId } = span.spanContext();
      const id = `${traceId}/${spanId}`;
      if (ended.has(id)) return;
      ended.add(id);
      for (const oldest of ended) {
        if (ended.size <= remembered) break;
        ended.delete(oldest);
      }
      processor.onEnd(span);
    },
    forceFlush: () => processor.forceFlush(),
    shutdown: () => processor.shutdown(),
  };
}
