/** Connections to the engine, for the CLI and for the worker, from the same description. */
import { readFile } from 'node:fs/promises';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Connections } from '../../environment/connections.ts';
import { type ReachedEngine, reachEngine } from './reach.ts';

type Engine = Connections['engine'];
/** What Connection and NativeConnection have in common. */
export type EngineConnectionOptions = Pick<ConnectionOptions, 'address'> & { tls?: EngineTls | boolean; apiKey?: string };
interface EngineTls {
  serverNameOverride?: string;
  serverRootCACertificate?: Buffer;
  clientCertPair?: { crt: Buffer; key: Buffer };
}

/**
 * Reads certificate and key files.
 * @param address where the engine is reached, when that is not its own address
 * @throws when a named file cannot be read
 */
export async function engineConnectionOptions(engine: Engine, address = engine.address): Promise<EngineConnectionOptions> {
  const options: EngineConnectionOptions = { address };
  if (engine.tls === true) options.tls = true;
  else if (typeof engine.tls === 'object') options.tls = await readTls(engine.tls);
  if (engine.apiKeyFile !== undefined) options.apiKey = (await readFile(engine.apiKeyFile, 'utf8')).trim();
  return options;
}

async function readTls(files: { ca?: string; cert?: string; key?: string; serverName?: string }): Promise<EngineTls> {
  return {
    ...(files.serverName === undefined ? {} : { serverNameOverride: files.serverName }),
    ...(files.ca === undefined ? {} : { serverRootCACertificate: await readFile(files.ca) }),
    ...(files.cert === undefined || files.key === undefined ? {} : { clientCertPair: { crt: await readFile(files.cert), key: await readFile(files.key) } }),
  };
}

/** What has to be closed after a connection. */
const ways = new WeakMap<object, ReachedEngine>();

/** With the way to it, which is closed together with the connection by `closeEngineConnection`. */
export async function openConnection(engine: Engine, timeoutSeconds: number): Promise<Connection> {
  const way = await reachEngine(engine);
  try {
    const connection = await Connection.connect({ ...(await engineConnectionOptions(engine, way.address)), connectTimeout: timeoutSeconds * 1000 });
    ways.set(connection, way);
    return connection;
  } catch (error) {
    const problem = way.problem();
    await way.close();
    // A connection that no pod takes looks like any other that is refused.
    throw problem === undefined ? error : new EngineUnreachableError(`the way to it through the cluster does not lead anywhere: ${problem}`, { cause: error });
  }
}

/** The engine runs in the cluster, and the cluster says why it cannot be reached. */
export class EngineUnreachableError extends Error {
  override name = 'EngineUnreachableError';
}

export async function closeConnection(connection: Pick<Connection, 'close'>): Promise<void> {
  try {
    await connection.close();
  } finally {
    await ways.get(connection)?.close();
    ways.delete(connection);
  }
}

/**
 * @throws ServiceError or a connection error when the engine does not answer within `timeoutSeconds`
 */
export async function connectTemporal(engine: Engine, timeoutSeconds = 5): Promise<Client> {
  return new Client({ connection: await openConnection(engine, timeoutSeconds), namespace: engine.namespace });
}

export async function closeTemporal(client: Client): Promise<void> {
  await closeConnection(client.connection);
}

/** @returns how many workers have asked the task queue for work lately */
export async function pollersOf(client: Client, taskQueue: string): Promise<number> {
  const answer = await client.workflowService.describeTaskQueue({ namespace: client.options.namespace, taskQueue: { name: taskQueue }, taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW });
  return answer.pollers.length;
}
