/** The engine as commands meet it: connected, or a text that says what to do. */
import type { Client } from '@temporalio/client';
import { connectTemporal, pollersOf } from '../../clients/temporal/index.ts';
import { TASK_QUEUE } from '../../contract/names.ts';
import { SEARCH_ATTRIBUTE_TYPES } from '../../contract/search-attributes.ts';
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
        : 'inCluster' in environment.engine ? [`npm run bootstrap -- --env ${environment.name}   (puts engine and workers into the cluster, or finds out what is wrong with them)`]
        : [`Check "engine" in environments/${environment.name}.yaml (address, namespace, TLS, API key), and that this machine can reach it.`]),
    );
  }
}

/**
 * An embedded engine has them from its start.
 * @throws CliError (refused) with the line to run where the namespace lacks our search attributes
 */
export async function requireSearchAttributes(client: Client, environment: Environment, connections: Connections): Promise<void> {
  if ('embedded' in environment.engine) return;
  const { address, namespace } = connections.engine;
  // Some servers do not let everybody list them: what is missing then shows when the deployment starts.
  const known = await client.connection.operatorService.listSearchAttributes({ namespace }).then(({ customAttributes }) => Object.keys(customAttributes), () => undefined);
  const missing = Object.entries(SEARCH_ATTRIBUTE_TYPES).filter(([name]) => known !== undefined && !known.includes(name));
  if (missing.length === 0) return;
  throw refused(
    `The namespace "${namespace}" of the engine lacks search attributes: ${missing.map(([name]) => name).join(', ')}. They are set up once, by somebody who may.`,
    'inCluster' in environment.engine ? `npm run bootstrap -- --env ${environment.name}` : `temporal operator search-attribute create --address ${address} --namespace ${namespace} ${missing.map(([name, type]) => `--name ${name} --type ${type}`).join(' ')}`,
  );
}

/** @throws CliError (refused) with the line to run when no worker serves the environment */
export async function requireWorker(client: Client, environment: Environment): Promise<void> {
  if (await pollersOf(client, TASK_QUEUE) > 0) return;
  throw refused(
    `Nobody would do the work: no worker asks the task queue "${TASK_QUEUE}" of the engine for it.`,
    'inCluster' in environment.engine ? `npm run bootstrap -- --env ${environment.name}   (looks after the workers in the cluster)`
      : `npm run worker -- --env ${environment.name}   (where the cluster can be reached; keep it running)`,
  );
}
