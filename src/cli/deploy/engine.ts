/** The engine as commands meet it: connected, or a text that says what to do. */
import type { Client } from '@temporalio/client';
import { HistoryKeysError } from '../../clients/temporal/errors.ts';
import { agreeOnKeys } from '../../clients/temporal/encryption/record.ts';
import {
  closeTemporal,
  EngineAccessError,
  ensureSearchAttributes,
  keysOf,
  openNamespace,
  pollersOf,
} from '../../clients/temporal/index.ts';
import { recentWorkers } from '../../clients/temporal/workers.ts';
import { taskQueueOf } from '../../contract/names.ts';
import type { Connections } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import { contentDigest, contentOfIdentity } from '../../plan/inputs/content.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import type { Prepared } from './preflight.ts';

/** @throws CliError (refused) when the engine does not answer, or not to us */
export async function openEngine(environment: Environment, connections: Connections): Promise<Client> {
  try {
    const client = await openNamespace(connections.engine);
    await requireHistoryKeys(client, connections);
    return client;
  } catch (error) {
    if (!(error instanceof EngineAccessError) || error instanceof HistoryKeysError) throw error;
    if ('embedded' in environment.engine)
      throw refused(error.message, commandLine('doctor', '--env', environment.name));
    if ('inCluster' in environment.engine)
      throw refused(
        error.message,
        `${commandLine('install', '--env', environment.name)}   (puts engine and workers into the cluster, or finds out what is wrong with them)`,
      );
    throw refused(
      error.message,
      ...error.next,
      `${commandLine('doctor', '--env', environment.name)}   ("engine" stands in environments/${environment.name}.yaml)`,
    );
  }
}

/** In an encrypted environment. @throws HistoryKeysError where histories need a key that is not here */
async function requireHistoryKeys(client: Client, { engine: { encryption } }: Connections): Promise<void> {
  if (encryption === undefined) return;
  try {
    await agreeOnKeys(client, encryption.environment, keysOf(client));
  } catch (error) {
    await closeTemporal(client).catch(() => undefined);
    throw error;
  }
}

/**
 * An embedded engine has them from its start; elsewhere they are registered where we may.
 * @param say called when that was done
 * @throws EngineAccessError with the lines to run where somebody else has to
 */
export async function requireSearchAttributes(
  client: Client,
  environment: Environment,
  { engine }: Connections,
  say: (text: string) => void,
): Promise<void> {
  if ('embedded' in environment.engine) return;
  const made = await ensureSearchAttributes(client, engine);
  if (made.length > 0)
    say(`Registered search attributes on the engine's namespace "${engine.namespace}": ${made.join(', ')}.`);
}

/** @throws CliError (refused) with the line to run when no worker serves the environment */
export async function requireWorker(client: Client, environment: Environment): Promise<void> {
  const taskQueue = taskQueueOf(environment.name);
  if ((await pollersOf(client, taskQueue)) > 0) return;
  throw refused(
    `Nobody would do the work: no worker asks the task queue "${taskQueue}" of the engine for it.`,
    'inCluster' in environment.engine
      ? `${commandLine('install', '--env', environment.name)}   (looks after the workers in the cluster)`
      : `npm run worker -- --env ${environment.name}   (where the cluster can be reached; keep it running)`,
  );
}

/**
 * Workers in the cluster carry charts, values and environment with them: they have to be those of this checkout.
 * @throws CliError (refused) when all of them would deploy something else
 */
export async function requireSameContent(client: Client, { catalog, environment, inputs }: Prepared): Promise<void> {
  const contents = (await recentWorkers(client, taskQueueOf(environment.name))).map(contentOfIdentity);
  // One on somebody's machine reads its files anew each time, and says nothing.
  if (contents.length === 0 || contents.some((content) => content === undefined)) return;
  const own = await contentDigest(catalog, environment, inputs);
  if (contents.includes(own)) return;
  throw refused(
    `The workers in the cluster would deploy something else than this checkout: catalog, charts, values or environment differ (theirs ${[...new Set(contents)].join(', ')}, here ${own}).`,
    `${commandLine('install', '--env', environment.name)} --image NAME:TAG   (an image of this checkout), or use the checkout that they were made from`,
  );
}
