/** Connections to the engine, for the CLI and for the worker, from the same description. */
import { readFile } from 'node:fs/promises';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Connections } from '../../environment/connections.ts';

type Engine = Connections['engine'];
/** What Connection and NativeConnection have in common. */
export type EngineConnectionOptions = Pick<ConnectionOptions, 'address'> & { tls?: EngineTls | boolean; apiKey?: string };
interface EngineTls {
  serverNameOverride?: string;
  serverRootCACertificate?: Buffer;
  clientCertPair?: { crt: Buffer; key: Buffer };
}

/** Reads certificate and key files. @throws when a named file cannot be read */
export async function engineConnectionOptions(engine: Engine): Promise<EngineConnectionOptions> {
  const options: EngineConnectionOptions = { address: engine.address };
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

/**
 * @throws ServiceError or a connection error when the engine does not answer within `timeoutSeconds`
 */
export async function connectTemporal(engine: Engine, timeoutSeconds = 5): Promise<Client> {
  const connection = await Connection.connect({ ...(await engineConnectionOptions(engine)), connectTimeout: timeoutSeconds * 1000 });
  return new Client({ connection, namespace: engine.namespace });
}

export async function closeTemporal(client: Client): Promise<void> {
  await client.connection.close();
}

/** @returns how many workers have asked the task queue for work lately */
export async function pollersOf(client: Client, taskQueue: string): Promise<number> {
  const answer = await client.workflowService.describeTaskQueue({ namespace: client.options.namespace, taskQueue: { name: taskQueue }, taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW });
  return answer.pollers.length;
}
