/** What an environment says about being watched: metrics and traces of the deployer itself, not of the platform. */
import { z } from 'zod';
import { filePath, hostPort, webAddress } from './formats/addresses.ts';
import { labelName } from './formats/kubernetes-names.ts';

export const telemetrySchema = z.strictObject({
  metrics: z
    .strictObject({
      listen: hostPort.describe(
        'host:port on which a worker answers GET /metrics; 127.0.0.1:9464 for this machine alone, 0.0.0.0:9464 for workers in pods',
      ),
      scrapeFrom: labelName('a namespace')
        .optional()
        .describe("Namespace of your Prometheus: workers in the target cluster let it in; absent: nobody's pods"),
    })
    .optional()
    .describe(
      "Prometheus endpoint of each worker: its own metrics and the Temporal SDK's. docs/look-up/telemetry.md names all",
    ),
  traces: z
    .strictObject({
      endpoint: webAddress('https://HOST:PORT').describe(
        'OTLP over HTTP: spans go to ENDPOINT/v1/traces, as protobuf; a collector, or whatever takes OTLP',
      ),
      headersFile: filePath
        .optional()
        .describe('File with HTTP headers for it, one Name: value a line, such as a token'),
    })
    .optional()
    .describe('One trace for each operation: command, workflows, activities, Helm; absent: as OTEL_* variables say'),
});

export type Telemetry = z.infer<typeof telemetrySchema>;

export interface TraceSettings {
  /** Absent: the standard variables name it. */
  endpoint?: string | undefined;
  headersFile?: string | undefined;
}

/**
 * Whether a process makes traces: the environment's file says so, or OpenTelemetry's variables of whoever started it.
 * @param variables all OTEL_* @returns undefined: it does not
 */
export function tracesOf(
  { telemetry }: { telemetry?: Telemetry | undefined },
  variables: Readonly<Record<string, string>>,
): TraceSettings | undefined {
  if (variables['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || variables['OTEL_TRACES_EXPORTER'] === 'none')
    return undefined;
  if (telemetry?.traces) return telemetry.traces;
  const named = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];
  return named.some((name) => (variables[name] ?? '') !== '') ? {} : undefined;
}

/** As workers in the target cluster get it: they have the environment's file and nobody's variables. */
export function isTraced(environment: { telemetry?: Telemetry | undefined }): boolean {
  return tracesOf(environment, {}) !== undefined;
}

export interface ListenAddress {
  host: string;
  port: number;
}

/** @param listen host:port, the host in brackets where it is an IPv6 address */
export function listenAddress(listen: string): ListenAddress {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replaceAll(/[[\]]/g, ''), port: Number(listen.slice(colon + 1)) };
}

/** Whether only this machine, or this pod, can reach it. */
export function isLoopback({ host }: ListenAddress): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
