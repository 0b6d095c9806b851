/** PostgreSQL's own tools, in a pod of the server that holds the database. */
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Clients } from '../../clients/index.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { TableContents } from '../../plan/checkpoint/contents.ts';
import { countCommand } from '../../plan/checkpoint/scripts.ts';
import { findService } from '../../plan/releases.ts';
import { tryJson } from '../../try-json.ts';
import { isSimulated } from '../observe/simulated.ts';
import { readPods, readWorkloads, readyPods } from '../observe/workloads.ts';

export interface DatabasePlace {
  server: string;
  database: string;
}

/** A pod to run commands in. */
export interface DatabaseServer {
  /** @throws DeployError where the tool says no */
  run(command: string[], options?: { input?: AsyncIterable<Uint8Array>; signal?: AbortSignal }): Promise<string>;
  /** Output as it comes; fails at its end where the tool does. */
  stream(command: string[]): AsyncIterable<Uint8Array>;
}

/** @param name `server/name`, as the catalog has it. @throws DeployError for another one */
export function placeOf({ databases }: Pick<Clients['catalog'], 'databases'>, name: string): DatabasePlace {
  const found = databases.find((one) => `${one.server}/${one.name}` === name);
  if (found) return { server: found.server, database: found.name };
  throw new DeployError(
    FAILURES.invalidInput,
    `There is no database ${name} in the catalog: ${databases.map((one) => `${one.server}/${one.name}`).join(', ')}.`,
  );
}

/**
 * @returns undefined where the server's pods are simulated, and nothing is in them
 * @throws DeployError Unreachable while no pod of it is ready
 */
export async function databaseServer(
  { kubernetes, catalog, redactor }: Pick<Clients, 'kubernetes' | 'catalog' | 'redactor'>,
  { server }: DatabasePlace,
  signal: AbortSignal,
): Promise<DatabaseServer | undefined> {
  const { namespace, name, ports } = findService(catalog, server);
  const release = { namespace, name };
  const pods = await readPods(kubernetes, release, await readWorkloads(kubernetes, release, signal), signal);
  const [pod] = readyPods(pods, ports[0]?.containerPort);
  if (pod === undefined) throw new DeployError(FAILURES.unreachable, `The database server ${name} has no ready pod`);
  if (await isSimulated(kubernetes, pod, signal)) return undefined;
  const address = { namespace, pod: pod.metadata.name };
  const check = ({ exitCode, stderr }: { exitCode: number; stderr: string }, command: string[]): void => {
    if (exitCode === 0) return;
    const said = redactor.redactForeign(stderr.trim());
    const tool = /pg_dump|pg_restore/.exec(command[2] ?? '')?.[0] ?? 'psql';
    throw new DeployError(
      FAILURES.probeFailed,
      `${tool} in pod ${address.namespace}/${address.pod} ended with ${exitCode}${said === '' ? '' : `: ${said.slice(0, 2000)}`}`,
    );
  };
  return {
    run: async (command, { input, signal: own = signal } = {}) => {
      const { stdout, ended } = await kubernetes.execStream(address, command, { input, signal: own });
      const [said, end] = await Promise.all([text(stdout), ended]);
      check(end, command);
      return said;
    },
    stream: async function* (command) {
      const { stdout, ended } = await kubernetes.execStream(address, command, { signal });
      yield* stdout as Readable & AsyncIterable<Uint8Array>;
      check(await ended, command);
    },
  };
}

const contentsSchema = z.record(z.string(), z.object({ rows: z.number().int(), sum: z.string() }));

/** What is in every table, by its name. */
export async function readContents(server: DatabaseServer, database: string): Promise<TableContents> {
  return contentsSchema.parse(tryJson(await server.run(countCommand(database))));
}
