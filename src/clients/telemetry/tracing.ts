/**
 * OpenTelemetry for one process, a command or a worker: spans of the SDK's plug-in and of ours, sent over OTLP/HTTP.
 * Loaded only where the environment, or the standard variables, ask for traces.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { context, propagation, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { OpenTelemetryPlugin } from '@temporalio/interceptors-opentelemetry';
import { AnantaError, DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { TraceSettings } from '../../environment/fields/telemetry.ts';
import { type SpanAttributes, type Spans, useSpans } from '../../process/spans.ts';
import { headersOf } from '../headers-file.ts';
import { useClientPlugins } from '../temporal/connection/plugins.ts';
import { once } from './once.ts';

export interface Tracing {
  /** For workers; clients that are made from now on have it. */
  plugin: OpenTelemetryPlugin;
  /**
   * Spans that begin within are children of this one. @param traceparent of whoever started this process, W3C's form
   */
  root<T>(
    name: string,
    attributes: SpanAttributes,
    traceparent: string | undefined,
    work: () => Promise<T>,
  ): Promise<T>;
  /** Sends what is left. @returns why some could not be sent */
  close(): Promise<string | undefined>;
}

export interface TracedProcess {
  /** `ananta` or `ananta-worker`, unless OTEL_SERVICE_NAME says otherwise. */
  service: string;
  version: string;
  environment: string;
  /** The process' own OTEL_* variables. */
  variables: Readonly<Record<string, string>>;
}

/** A collector that is away holds nobody up for longer. */
const LAST_CALL_MILLISECONDS = 3000;
/** A whole platform makes some thousand spans in a few seconds; the library would drop what exceeds 2048. */
const QUEUE = { maxQueueSize: 65_536, maxExportBatchSize: 512, scheduledDelayMillis: 1000 };

/** @throws DeployError when the file of headers cannot be read */
export async function startTracing(settings: TraceSettings, from: TracedProcess): Promise<Tracing> {
  let problem: string | undefined;
  setGlobalErrorHandler((error) => {
    problem = typeof error === 'string' ? error : (error as Error).message;
  });
  const resource = new Resource({
    'service.name': from.service,
    'service.version': from.version,
    'deployment.environment.name': from.environment,
  }).merge(detectResourcesSync({ detectors: [envDetectorSync] }));
  const exporter = new OTLPTraceExporter({
    ...(settings.endpoint === undefined ? {} : { url: `${settings.endpoint.replace(/\/+$/, '')}/v1/traces` }),
    ...(settings.headersFile === undefined ? {} : { headers: await readHeaders(settings.headersFile) }),
  });
  const said = Object.keys(from.variables).some((name) => name.startsWith('OTEL_BSP_'));
  const processor = once(new BatchSpanProcessor(exporter, said ? {} : QUEUE));
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  provider.register({ contextManager: new AsyncLocalStorageContextManager().enable() });
  const plugin = new OpenTelemetryPlugin({ resource, spanProcessor: processor });
  useClientPlugins([plugin]);
  useSpans(spans);
  return {
    plugin,
    root: (name, attributes, traceparent, work) => {
      const parent = traceparent === undefined ? {} : { traceparent };
      return context.with(propagation.extract(context.active(), parent), () => spans.run(name, attributes, work));
    },
    close: async () => {
      useSpans(undefined);
      useClientPlugins([]);
      await Promise.race([
        provider.shutdown().catch((error: unknown) => {
          problem ??= error instanceof Error ? error.message : String(error);
        }),
        sleep(LAST_CALL_MILLISECONDS, undefined, { ref: false }).then(() => {
          problem ??= `no answer within ${LAST_CALL_MILLISECONDS / 1000} s`;
        }),
      ]);
      // The API is the process': whoever comes next registers anew.
      for (const api of [trace, context, propagation]) api.disable();
      return problem;
    },
  };
}

const spans: Spans = {
  run: (name, attributes, work) =>
    trace.getTracer('ananta').startActiveSpan(name, { attributes }, async (span) => {
      try {
        const result = await work(variables());
        span.setStatus({ code: SpanStatusCode.OK });
        return result;
      } catch (error) {
        markFailed(span, error);
        throw error;
      } finally {
        span.end();
      }
    }),
  annotate: (attributes) => {
    trace.getActiveSpan()?.setAttributes(attributes);
  },
};

/** W3C's names in capitals, as OpenTelemetry has them for environment variables. */
function variables(): Record<string, string> {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return Object.fromEntries(Object.entries(carrier).map(([name, value]) => [name.toUpperCase(), value]));
}

/** Texts of errors may hold what nobody has redacted yet. */
function markFailed(span: Span, error: unknown): void {
  const type = error instanceof AnantaError ? error.type : error instanceof Error ? error.name : 'Error';
  span.setStatus({ code: SpanStatusCode.ERROR, message: type });
  span.setAttribute('error.type', type);
}

async function readHeaders(file: string): Promise<Record<string, string>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new DeployError(
      FAILURES.invalidInput,
      `telemetry.traces.headersFile: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
    );
  }
  return headersOf(text, 'telemetry.traces.headersFile');
}
