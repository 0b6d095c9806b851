/** Connections to the engine, for the CLI and for the worker, from the same description. */
import { AnantaError, type NextStep } from '../../../contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../../contract/failures.ts';
import * as grpc from '@grpc/grpc-js';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Connections } from '../../../environment/connections.ts';
import { historyCodec } from '../encryption/index.ts';
import type { KeyRing } from '../encryption/ring.ts';
import type { KeySource } from '../encryption/source.ts';
import { type EngineTls, readApiKey, readTls } from './credentials.ts';
import { clientPlugins } from './plugins.ts';
import { type EngineProxy, engineProxy, proxiedChannel } from './proxy.ts';
import { type ReachedEngine, reachEngine } from './reach.ts';
import { repeatReads } from './repeat-reads.ts';

type Engine = Connections['engine'];
/** As NativeConnection takes them. */
export type EngineConnectionOptions = Pick<ConnectionOptions, 'address'> & {
  tls?: EngineTls | boolean;
  apiKey?: string;
  proxy?: EngineProxy;
};

/**
 * Reads certificate and key files.
 * @param address where the engine is reached, when that is not its own address
 * @throws EngineAccessError when a named file cannot be read, or the environment's proxy cannot be used
 */
export async function engineConnectionOptions(
  engine: Engine,
  address = engine.address,
): Promise<EngineConnectionOptions> {
  const proxy = engineProxy(engine);
  const { apiKey, ...options } = await clientOptions(engine);
  return {
    address,
    ...options,
    ...(apiKey === undefined ? {} : { apiKey: apiKey() }),
    ...(proxy === undefined ? {} : { proxy }),
  };
}

/** The client asks for the key at every call: one that is exchanged in its file is used from then on. */
async function clientOptions(engine: Engine): Promise<{ tls?: EngineTls | boolean; apiKey?: () => string }> {
  const [tls, apiKey] = await Promise.all([readTls(engine), readApiKey(engine)]);
  return { ...(tls === false ? {} : { tls }), ...(apiKey === undefined ? {} : { apiKey: apiKey.current }) };
}

/** What has to be closed after a connection. */
const ways = new WeakMap<object, ReachedEngine>();

/** With the way to it, which is closed together with the connection by `closeEngineConnection`. */
export async function openConnection(engine: Engine, timeoutSeconds: number): Promise<Connection> {
  const way = await reachEngine(engine);
  try {
    const connection = await Connection.connect({
      ...(await clientOptions(engine)),
      ...proxiedChannel(way.address, engineProxy(engine)),
      connectTimeout: timeoutSeconds * 1000,
      interceptors: [repeatReads],
    });
    ways.set(connection, way);
    return connection;
  } catch (error) {
    const problem = way.problem();
    await way.close();
    // A connection that no pod takes looks like any other that is refused.
    throw problem === undefined
      ? error
      : new EngineUnreachableError(`the way to it through the cluster does not lead anywhere: ${problem}`, {
          cause: error,
        });
  }
}

/** The engine runs in the cluster, and the cluster says why it cannot be reached. */
export class EngineUnreachableError extends AnantaError {
  override name = 'EngineUnreachableError';
  override readonly type = FAILURES.unreachable;
  override readonly exitCode = EXIT_CODES.refused;
  override readonly next: readonly NextStep[] = [{ command: 'doctor' }];
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
 * Says why no connection comes about: waiting for one, the SDK's client says only that it did not. This one does not
 * wait.
 * @returns undefined where it does
 */
export async function whyUnreachable(engine: Engine, timeoutSeconds = 3): Promise<unknown> {
  const way = await reachEngine(engine);
  try {
    const { tls, apiKey, proxy } = await engineConnectionOptions(engine);
    const { address, channelArgs } = proxiedChannel(way.address, proxy);
    const {
      serverRootCACertificate: ca,
      clientCertPair,
      serverNameOverride: name,
    } = typeof tls === 'object' ? tls : {};
    const credentials =
      tls === undefined || tls === false
        ? grpc.credentials.createInsecure()
        : grpc.credentials.createSsl(ca, clientCertPair?.key, clientCertPair?.crt);
    const client = new grpc.Client(address, credentials, {
      ...channelArgs,
      ...(name === undefined ? {} : { 'grpc.ssl_target_name_override': name, 'grpc.default_authority': name }),
    });
    try {
      return await askOnce(client, apiKey, timeoutSeconds);
    } finally {
      client.close();
    }
  } catch (error) {
    return error;
  } finally {
    await way.close();
  }
}

/** @returns what came back instead of an answer */
function askOnce(
  client: grpc.Client,
  apiKey: string | undefined,
  timeoutSeconds: number,
): Promise<grpc.ServiceError | undefined> {
  const metadata = new grpc.Metadata();
  if (apiKey !== undefined) metadata.set('authorization', `Bearer ${apiKey}`);
  const bytes = (value: Buffer): Buffer => value;
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      '/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo',
      bytes,
      bytes,
      Buffer.alloc(0),
      metadata,
      { deadline: Date.now() + timeoutSeconds * 1000 },
      (error) => {
        resolve(error ?? undefined);
      },
    );
  });
}

/**
 * @throws EngineAccessError for its files and for the keys of encrypted histories; ServiceError or a connection error
 * when the engine does not answer within `timeoutSeconds`
 */
export async function connectTemporal(engine: Engine, timeoutSeconds = 5): Promise<Client> {
  const { keys, codec } = await historyCodec(engine);
  const client = new Client({
    connection: await openConnection(engine, timeoutSeconds),
    namespace: engine.namespace,
    dataConverter: { payloadCodecs: [codec] },
    plugins: clientPlugins(),
  });
  if (keys !== undefined) keySources.set(client, keys);
  return client;
}

const keySources = new WeakMap<Client, KeySource>();

/** @returns the keys with which a client of `connectTemporal` reads and writes; undefined where it has none */
export function keysOf(client: Client): KeyRing | undefined {
  return keySources.get(client)?.current();
}

export async function closeTemporal(client: Client): Promise<void> {
  await closeConnection(client.connection);
}

/** @returns how many workers have asked the task queue for work lately */
export async function pollersOf(client: Client, taskQueue: string): Promise<number> {
  const answer = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  return answer.pollers.length;
}
