/** The engine as commands meet it: connected, or a text that says what to do. */
import type { Client } from '@temporalio/client';
import { connectTemporal, pollersOf } from '../../clients/temporal/index.ts';
import { TASK_QUEUE } from '../../contract/names.ts';
import type { Connections } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import { refused } from '../failure.ts';
import { commandLine } from '../format.ts';

/** @throws CliError (refused) when the engine does not answer */
export async function openEngine(environment: Environment, connections: Connections): Promise<Client> {
  const { address, namespace } = connections.engine;
  try {
    const client = await connectTemporal(connections.engine);
    await client.workflowService.describeNamespace({ namespace });
    return client;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const embedded = 'embedded' in environment.engine;
    throw refused(
      `The engine (Temporal) at ${address}, namespace "${namespace}", could not be used: ${reason}`,
      ...(embedded
        ? [commandLine('doctor', '--env', environment.name)]
        : [`Check "engine" in environments/${environment.name}.yaml (address, namespace, TLS, API key), and that this machine can reach it.`]),
    );
  }
}

/** @throws CliError (refused) with the line to run when no worker serves the environment */
export async function requireWorker(client: Client, environment: Environment): Promise<void> {
  if (await pollersOf(client, TASK_QUEUE) > 0) return;
  throw refused(
    `Nobody would do the work: no worker asks the task queue "${TASK_QUEUE}" of the engine for it.`,
    `npm run worker -- --env ${environment.name}   (where the cluster can be reached; keep it running)`,
  );
}
