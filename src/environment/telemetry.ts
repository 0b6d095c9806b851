/** What an environment says about being watched: metrics and traces of the deployer itself, not of the platform. */
import { z } from 'zod';
import { hostPort } from './fields/addresses.ts';
import { labelName } from './fields/kubernetes-names.ts';

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
      "Prometheus endpoint of each worker: its own metrics and the Temporal SDK's. docs/telemetry.md names all",
    ),
});

export type Telemetry = z.infer<typeof telemetrySchema>;

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
