/** Spans of a workflow task that the engine has carried out twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { once } from '../../../src/clients/telemetry/once.ts';

const span = (spanId: string, traceId = '1'): ReadableSpan =>
  ({ name: spanId, resource: {}, spanContext: () => ({ traceId, spanId, traceFlags: 1 }) }) as ReadableSpan;

/** @returns names of the spans that were sent */
async function sent(spans: readonly ReadableSpan[], remembered?: number): Promise<string[]> {
  const exporter = new InMemorySpanExporter();
  const processor = once(new SimpleSpanProcessor(exporter), remembered);
  for (const one of spans) processor.onEnd(one);
  await processor.forceFlush();
  const names = exporter.getFinishedSpans().map(({ name }) => name);
  await processor.shutdown();
  return names;
}

test('one that ends again is sent once; the same id in another trace is another span', async () => {
  assert.deepEqual(await sent([span('a'), span('b'), span('a'), span('a', '2')]), ['a', 'b', 'a']);
});

test('the newest are known, so that a worker that lives for long does not grow', async () => {
  assert.deepEqual(await sent([span('a'), span('b'), span('c'), span('c'), span('a')], 2), ['a', 'b', 'c', 'a']);
});
