/** A collector of our own: OTLP over HTTP on loopback, as protobuf, as the specification has it. */
import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';

export interface CollectedSpan {
  traceId: string;
  spanId: string;
  /** Empty for a root. */
  parentId: string;
  name: string;
  /** `service.name` of the process. */
  process: string;
  attributes: Record<string, unknown>;
  /** 1: ok, 2: error. */
  status: number;
  /** Milliseconds of the epoch. */
  start: number;
  end: number;
}

export interface Collector {
  /** For `telemetry.traces.endpoint`. */
  endpoint: string;
  spans: CollectedSpan[];
  /** Of each request: its path, and its headers. */
  requests: { path: string; headers: IncomingMessage['headers'] }[];
  /** All that came, as text: for what must not be in it. */
  raw: () => string;
  close: () => Promise<void>;
}

interface Wire {
  resourceSpans: {
    resource: { attributes: WireAttribute[] };
    scopeSpans: {
      spans: {
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        name: string;
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        attributes: WireAttribute[];
        status?: { code?: number };
      }[];
    }[];
  }[];
}
interface WireAttribute {
  key: string;
  value: Record<string, unknown>;
}

const { opentelemetry } = createRequire(import.meta.url)(
  '@opentelemetry/otlp-transformer/build/src/generated/root',
) as {
  opentelemetry: {
    proto: {
      collector: {
        trace: {
          v1: {
            ExportTraceServiceRequest: {
              decode: (bytes: Buffer) => unknown;
              toObject: (message: unknown, options: object) => Wire;
            };
          };
        };
      };
    };
  };
};
const { ExportTraceServiceRequest } = opentelemetry.proto.collector.trace.v1;

/** @param at 0: any port that is free */
export async function startCollector(at = 0): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const requests: Collector['requests'] = [];
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      requests.push({ path: request.url ?? '', headers: request.headers });
      bodies.push(body);
      spans.push(...decoded(body));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(at, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    spans,
    requests,
    raw: () => Buffer.concat(bodies).toString('latin1'),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function decoded(body: Buffer): CollectedSpan[] {
  const options = { longs: String, bytes: String, defaults: true };
  const { resourceSpans } = ExportTraceServiceRequest.toObject(ExportTraceServiceRequest.decode(body), options);
  const hex = (base64 = ''): string => Buffer.from(base64, 'base64').toString('hex');
  const attributesOf = (list: readonly WireAttribute[]): Record<string, unknown> =>
    Object.fromEntries(
      list.map(({ key, value }) => [
        key,
        value['stringValue'] ?? value['intValue'] ?? value['doubleValue'] ?? value['boolValue'],
      ]),
    );
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentId: hex(span.parentSpanId),
        name: span.name,
        process: String(attributesOf(resource.attributes)['service.name']),
        attributes: attributesOf(span.attributes),
        status: span.status?.code ?? 0,
        start: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
        end: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
      })),
    ),
  );
}

/** Spans whose parent was never sent. */
export function orphans(spans: readonly CollectedSpan[]): CollectedSpan[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  return spans.filter(({ parentId }) => parentId !== '' && !known.has(parentId));
}

/** Names from the root down to the span. */
export function pathTo(spans: readonly CollectedSpan[], span: CollectedSpan | undefined): string[] {
  if (span === undefined) return [];
  return [
    ...pathTo(
      spans,
      spans.find(({ spanId }) => spanId === span.parentId),
    ),
    span.name,
  ];
}

/** Spans that only hold others: that they are there says nothing of what is being done. */
const HOLDS = /^(ananta |StartWorkflow:|RunWorkflow:|StartChildWorkflow:|service )/;

export interface Gap {
  /** Milliseconds from the operation's beginning. */
  at: number;
  milliseconds: number;
  /** Names of spans that ended last before it. */
  after: string;
}

/** Time of a command's trace in which nothing with a span was at work, or waited. */
export function gaps(spans: readonly CollectedSpan[]): { operation: CollectedSpan; uncovered: Gap[] } {
  const operation = spans.find(({ name }) => name.startsWith('ananta '));
  if (operation === undefined) throw new Error('no span of a command');
  const uncovered: Gap[] = [];
  let [until, after] = [operation.start, operation.name];
  const uncoveredTo = (start: number): void => {
    if (start > until) uncovered.push({ at: until - operation.start, milliseconds: start - until, after });
  };
  for (const { start, end, name } of spans.filter((span) => !HOLDS.test(span.name)).sort((a, b) => a.start - b.start)) {
    uncoveredTo(start);
    if (end > until) [until, after] = [end, name];
  }
  uncoveredTo(operation.end);
  return { operation, uncovered };
}
