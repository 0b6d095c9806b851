/**
 * Whether the engine can be used as the environment says: asked before anything is touched, by commands and by workers.
 */
import type { Client } from '@temporalio/client';
import { readFile } from 'node:fs/promises';
import { SEARCH_ATTRIBUTE_TYPES } from '../../../contract/search-attribute-types.ts';
import type { Connections } from '../../../environment/connections.ts';
import { closeTemporal, connectTemporal, EngineUnreachableError, whyUnreachable } from './connect.ts';
import { EngineAccessError } from '../errors.ts';
import {
  engineProblem,
  GRPC,
  grpcCode,
  grpcText,
  isDenied,
  isTooOld,
  keyExpiry,
  MINIMAL_SERVER,
  temporalCli,
} from './problems.ts';
import { addSearchAttributes } from './setup.ts';

type Engine = Connections['engine'];

/** @throws EngineAccessError: unreachable, not allowed, no such namespace, too old */
export async function openNamespace(engine: Engine): Promise<Client> {
  const { address, namespace } = engine;
  let client: Client | undefined;
  try {
    client = await connectTemporal(engine);
    await client.workflowService.describeNamespace({ namespace });
    const { serverVersion } = await client.workflowService.getSystemInfo({});
    if (isTooOld(serverVersion)) {
      throw new EngineAccessError(
        `The engine (Temporal) at ${address} is version ${serverVersion}: ${MINIMAL_SERVER} or newer is needed, for worker versions and for updates that start their workflow.`,
        ['Upgrade the Temporal server, or name another one in the environment file.'],
      );
    }
    return client;
  } catch (error) {
    if (client) await closeTemporal(client).catch(() => undefined);
    throw await accessError(client ? error : ((await whyNot(engine, error)) ?? error), engine);
  }
}

/** Where the files were not read, or the cluster of a tunnel says what is wrong, that is it. */
async function whyNot(engine: Engine, error: unknown): Promise<unknown> {
  return error instanceof EngineAccessError || error instanceof EngineUnreachableError ? error : whyUnreachable(engine);
}

/** The same in words for an error of a later call. */
export async function accessError(error: unknown, engine: Engine): Promise<EngineAccessError> {
  if (error instanceof EngineAccessError) return error;
  const key = engine.apiKeyFile === undefined ? '' : await readFile(engine.apiKeyFile, 'utf8').catch(() => '');
  const { message, next } = engineProblem(error, engine, keyExpiry(key.trim(), Date.now()));
  return new EngineAccessError(
    `The engine (Temporal) at ${engine.address}, namespace "${engine.namespace}", could not be used: ${message}`,
    next,
    error,
  );
}

/**
 * Registers the search attributes that are missing, where we may.
 * @returns those that it made
 * @throws EngineAccessError with the lines to run where somebody else has to
 */
export async function ensureSearchAttributes(client: Client, engine: Engine): Promise<string[]> {
  const { namespace } = engine;
  // Some servers do not let everybody list them: what is missing then shows in the first query.
  const known = await client.connection.operatorService.listSearchAttributes({ namespace }).then(
    ({ customAttributes }) => Object.keys(customAttributes),
    () => undefined,
  );
  const missing =
    known === undefined
      ? await missingByQuery(client)
      : Object.keys(SEARCH_ATTRIBUTE_TYPES).filter((name) => !known.includes(name));
  if (missing.length === 0) return [];
  try {
    await addSearchAttributes(client.connection, namespace, missing);
  } catch (error) {
    if (!isDenied(grpcCode(error))) throw await accessError(error, engine);
    throw new EngineAccessError(
      `The namespace "${namespace}" of the engine lacks search attributes, and does not let us make them (${grpcText(error)}): ${missing.join(', ')}. They are set up once, by somebody who may.`,
      [
        temporalCli(
          engine,
          `operator search-attribute create ${missing.map((name) => `--name ${name} --type Keyword`).join(' ')}`,
        ),
        `tcld namespace search-attributes add --namespace ${namespace} ${missing.map((name) => `--sa "${name}=Keyword"`).join(' ')}   (Temporal Cloud)`,
      ],
      error,
    );
  }
  await untilKnown(client, missing);
  return missing;
}

async function missingByQuery(client: Client): Promise<string[]> {
  const found = await Promise.all(
    Object.keys(SEARCH_ATTRIBUTE_TYPES).map(async (name) => ((await isKnown(client, name)) ? [] : [name])),
  );
  return found.flat();
}

/** It takes some time until all of the engine's frontends know a new attribute. */
async function untilKnown(client: Client, names: readonly string[]): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    if ((await Promise.all(names.map((name) => isKnown(client, name)))).every(Boolean)) return;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

async function isKnown(client: Client, name: string): Promise<boolean> {
  try {
    await client.workflow.count(`${name} = 'x'`);
    return true;
  } catch (error) {
    return grpcCode(error) !== GRPC.invalidArgument;
  }
}
