/** Reading versions for a command: the cluster alone is asked, nothing is started. */
import type { Clients } from '../../clients/index.ts';
import { resolveConnections } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { Environment } from '../../environment/schema.ts';
import { RollbackRefusedError } from '../../plan/versions/rollback-refused.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';

/**
 * @throws NotRunningError when an embedded cluster was never started; CliError (refused) for a version that is not kept
 */
export async function withVersions<T>(
  context: CliContext,
  name: string,
  work: (clients: Clients, environment: Environment) => Promise<T>,
): Promise<T> {
  const environment = await loadEnvironment(name, context.config);
  const connections = await resolveConnections(environment, context.config);
  // Loaded late: the clients take a second, and a wrong name should be refused at once.
  const { withClients } = await import('../shared/clients.ts');
  try {
    return await withClients(context, environment, connections, (clients) => work(clients, environment));
  } catch (error) {
    if (error instanceof RollbackRefusedError)
      throw refused(error.message, `${commandLine('history', '--env', name)}   (the versions that are kept)`);
    throw error;
  }
}
