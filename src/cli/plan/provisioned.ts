/** What a plan is made on. Nothing is started that was stopped on purpose, and no worker at all. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clients } from '../../clients/index.ts';
import { stateDir } from '../../config.ts';
import { type Connections, readRuntime, resolveConnections } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import { withClients } from '../shared/clients.ts';
import type { CliContext } from '../shared/context.ts';
import { requireOwnCluster } from '../deploy/binding.ts';
import { hasEmbeddedParts } from '../deploy/embedded.ts';
import { unlessInterrupted, watchInterrupts } from '../deploy/interrupt.ts';
import { createRenderer } from '../render/renderers.ts';
import { setupLine } from '../render/setup.ts';

/** Embedded, and nothing was ever made of it: there is no data that a plan could overlook. */
export async function isNotProvisioned(environment: Environment, config: CliContext['config']): Promise<boolean> {
  if (!('embedded' in environment.cluster)) return false;
  const entries = await readdir(join(stateDir(config, environment.name), 'cluster')).catch(() => []);
  return entries.length === 0 && (await readRuntime(config, environment.name)) === undefined;
}

/**
 * The clients of a cluster that is there; embedded parts that have died are brought back, without the worker.
 * @throws NotRunningError where it was stopped
 */
export async function withProvisioned<T>(
  context: CliContext,
  environment: Environment,
  work: (clients: Clients, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { config, terminal } = context;
  const renderer = createRenderer({ ...terminal, live: false, stdout: terminal.stderr }, environment.name, false);
  const interrupts = watchInterrupts();
  try {
    const { signal } = interrupts;
    if (hasEmbeddedParts(environment) && (await readRuntime(config, environment.name)) !== undefined) {
      const { up } = await import('../../../bootstrap/index.ts');
      await unlessInterrupted(
        signal,
        up(environment, config, (event) => renderer.setup(setupLine(event)), { signal, worker: false }),
      );
    }
    return await withClients(context, environment, await connectionsOf(environment, config), async (clients) => {
      await requireOwnCluster(clients, signal);
      return work(clients, signal);
    });
  } finally {
    renderer.close();
    interrupts.dispose();
  }
}

function connectionsOf(environment: Environment, config: CliContext['config']): Promise<Connections> {
  // An external cluster can be asked before the embedded engine was ever started.
  return resolveConnections(environment, config, { engine: 'embedded' in environment.cluster });
}
