/**
 * The clients of an environment, for the length of one command; its embedded parts are brought up first where they are
 * down.
 */
import { type Clients, createClients } from '../../clients/index.ts';
import type { Connections } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import type { CliContext } from './context.ts';
import { requireOwnCluster } from '../deploy/binding.ts';
import { ensureLocalStackAgain } from '../deploy/local-stack.ts';
import { watchInterrupts } from '../deploy/interrupt.ts';
import { createProgressRenderer } from '../render/renderers.ts';

export async function withClients<T>(
  { config }: Pick<CliContext, 'config'>,
  environment: Environment,
  connections: Connections,
  work: (clients: Clients) => Promise<T>,
): Promise<T> {
  // Nothing is applied here, so nobody asks whether a run is alive.
  const clients = await createClients(environment, connections, config, { isRunAlive: () => Promise.resolve(false) });
  try {
    return await work(clients);
  } finally {
    await clients.close();
  }
}

/**
 * Refused on a cluster of somebody else, whatever is to be done there.
 * @throws NotRunningError when an embedded part was never started or was stopped on purpose; CliError (refused)
 */
export async function withLiveClients<T>(
  context: CliContext,
  environment: Environment,
  work: (clients: Clients, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // Progress of what is started goes to standard error: standard output is the command's own.
  const renderer = createProgressRenderer(context.terminal, environment.name);
  const interrupts = watchInterrupts();
  try {
    const connections = await ensureLocalStackAgain({ context, environment, renderer, interrupted: interrupts.signal });
    return await withClients(context, environment, connections, async (clients) => {
      await requireOwnCluster(clients, interrupts.signal);
      return work(clients, interrupts.signal);
    });
  } finally {
    interrupts.dispose();
  }
}
