/** The trace of a deployment as the platform's own Jaeger has it: asked by its API, whole. */
import assert from 'node:assert/strict';
import { z } from 'zod';
import { type CollectedSpan, gaps, orphans } from '../../support/telemetry/otlp.ts';
import { eventually, type Platform } from '../support/platform.ts';

/** Of Jaeger's API; times in microseconds. */
const answerSchema = z.object({
  data: z
    .array(
      z.object({
        traceID: z.string(),
        processes: z.record(z.string(), z.object({ serviceName: z.string() })),
        spans: z.array(
          z.object({
            spanID: z.string(),
            processID: z.string(),
            operationName: z.string(),
            references: z.array(z.object({ refType: z.string(), spanID: z.string() })).default([]),
            startTime: z.number(),
            duration: z.number(),
            tags: z.array(z.object({ key: z.string(), value: z.unknown() })).default([]),
          }),
        ),
      }),
    )
    .nullable(),
});

export interface TraceFacts {
  spans: number;
  seconds: number;
  /** Of the operation's time in which nothing was at work, or waited, that has a span. */
  gapSeconds: number;
  longestGapSeconds: number;
}

/** Where Jaeger takes OTLP over HTTP, for `telemetry.traces.endpoint`. */
export async function otlpEndpoint(platform: Platform): Promise<string> {
  return `http://${(await platform.pod('jaeger')).address}:4318`;
}

/** @param services that have to have their spans in it */
export async function checkTrace(platform: Platform, services: readonly string[]): Promise<TraceFacts> {
  const { address } = await platform.pod('jaeger');
  const traces = async (): Promise<CollectedSpan[][]> => {
    const answer = await fetch(`http://${address}:16686/api/traces?service=ananta&lookback=2h&limit=20`);
    const { data } = answerSchema.parse(await answer.json());
    return (data ?? []).map(spansOf);
  };
  const ofServices = (spans: readonly CollectedSpan[]): string[] =>
    spans.filter(({ name }) => name.startsWith('service ')).map(({ name }) => name.slice('service '.length));
  // The worker sends its last spans within seconds.
  const whole = await eventually('the whole trace is in Jaeger', async () => {
    const found = (await traces()).filter((spans) => spans.some(({ name }) => name === 'ananta deploy'));
    assert.ok(found.length <= 1, `${found.length} traces of one deployment`);
    const [spans] = found;
    const complete = spans !== undefined && orphans(spans).length === 0 && ofServices(spans).length >= services.length;
    return complete ? spans : undefined;
  });
  assert.deepEqual(ofServices(whole).sort(), [...services].sort(), 'each service once');
  assert.deepEqual(
    whole.filter(({ parentId }) => parentId === '').map(({ name }) => name),
    ['ananta deploy'],
  );
  assert.deepEqual([...new Set(whole.map(({ process }) => process))].sort(), ['ananta', 'ananta-worker']);
  const { operation, uncovered } = gaps(whole);
  return {
    spans: whole.length,
    seconds: (operation.end - operation.start) / 1000,
    gapSeconds: uncovered.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000,
    longestGapSeconds: Math.max(0, ...uncovered.map(({ milliseconds }) => milliseconds)) / 1000,
  };
}

type Trace = NonNullable<z.infer<typeof answerSchema>['data']>[number];

function spansOf({ traceID, spans, processes }: Trace): CollectedSpan[] {
  return spans.map(({ spanID, processID, operationName, references, startTime, duration, tags }) => ({
    traceId: traceID,
    spanId: spanID,
    parentId: references.find(({ refType }) => refType === 'CHILD_OF')?.spanID ?? '',
    name: operationName,
    process: processes[processID]?.serviceName ?? '',
    attributes: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
    status: tags.some(({ key, value }) => key === 'error' && value === true) ? 2 : 1,
    start: startTime / 1000,
    end: (startTime + duration) / 1000,
  }));
}
