/** The engine and the identity of the cluster, for subcommands that need both and change nothing on the cluster. */
import type { Client } from '@temporalio/client';
import { closeTemporal } from '../../clients/temporal/index.ts';
import type { Connections } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { CliContext } from '../shared/context.ts';
import { traced } from '../shared/traced.ts';
import { type FoundCluster, readCluster } from '../deploy/cluster.ts';
import { openEngine } from '../deploy/engine.ts';
import { ensureLocalStackAgain } from '../deploy/local-stack.ts';
import { watchInterrupts } from '../deploy/interrupt.ts';
import { createProgressRenderer } from '../render/renderers.ts';

export interface Engine {
  environment: Environment;
  connections: Connections;
  client: Client;
  clusterUid: string;
  cluster: FoundCluster;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

/** @throws NotRunningError, or CliError (refused) when cluster or engine do not answer */
export async function withEngine<T>(
  context: CliContext,
  environmentName: string,
  work: (engine: Engine) => Promise<T>,
  command = 'drift',
): Promise<T> {
  const environment = await loadEnvironment(environmentName, context.config);
  return traced(context, environment, command, () => connected(context, environment, work));
}

async function connected<T>(
  context: CliContext,
  environment: Environment,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const renderer = createProgressRenderer(context.terminal, environment.name);
  const interrupts = watchInterrupts();
  try {
    const connections = await ensureLocalStackAgain({ context, environment, renderer, interrupted: interrupts.signal });
    const cluster = await readCluster(environment, connections);
    const client = await openEngine(environment, connections);
    try {
      return await work({
        environment,
        connections,
        client,
        clusterUid: cluster.uid,
        cluster,
        signal: interrupts.signal,
      });
    } finally {
      await closeTemporal(client).catch(() => undefined);
    }
  } finally {
    renderer.close();
    interrupts.dispose();
  }
}
