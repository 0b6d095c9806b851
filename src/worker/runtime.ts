/** The SDK's native part: its log lines, and the metrics that it and we serve to Prometheus. */
import { createServer } from 'node:net';
import { type DefaultLogger, Runtime } from '@temporalio/worker';
import { DURATION_BUCKETS, instrumentName, type MetricName, METRICS } from '../contract/metrics.ts';
import type { Environment } from '../environment/schema.ts';
import { listenAddress, type ListenAddress } from '../environment/fields/telemetry.ts';

/**
 * Once in a process. An address that cannot be had, since another worker of this machine still has it, costs the
 * metrics of this one and not its work.
 * @returns what is wrong with the address, in words
 */
export async function installRuntime(
  { name, telemetry }: Pick<Environment, 'name' | 'telemetry'>,
  logger: DefaultLogger,
): Promise<string | undefined> {
  const listen = telemetry?.metrics?.listen;
  const problem = listen === undefined ? undefined : await listenProblem(listenAddress(listen));
  const metrics = listen !== undefined && problem === undefined ? { metrics: prometheus(listen, name) } : {};
  Runtime.install({ logger, shutdownSignals: [], telemetryOptions: metrics });
  return problem === undefined
    ? undefined
    : `No metrics from this worker: telemetry.metrics.listen is ${listen}, and ${problem}. Everything else works; start the worker again when the address is free`;
}

function prometheus(bindAddress: string, environment: string) {
  return {
    globalTags: { environment },
    attachServiceName: false,
    prometheus: {
      bindAddress,
      countersTotalSuffix: true,
      unitSuffix: true,
      useSecondsForDurations: true,
      histogramBucketOverrides: Object.fromEntries(
        (Object.keys(METRICS) as MetricName[])
          .filter((metric) => METRICS[metric].kind === 'histogram')
          .map((metric) => [instrumentName(metric), DURATION_BUCKETS]),
      ),
    },
  };
}

/** The SDK would only panic. */
function listenProblem({ host, port }: ListenAddress): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(
        error.code === 'EADDRINUSE'
          ? 'something else listens there'
          : error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND'
            ? 'this machine has no such address'
            : `it cannot be listened on (${error.code ?? error.message})`,
      );
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
