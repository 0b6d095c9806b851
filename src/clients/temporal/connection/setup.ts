/** What an engine needs before the first deployment: its namespace and our search attributes. Safe to repeat. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { SEARCH_ATTRIBUTE_TYPES } from '../../../contract/search-attribute-types.ts';
import type { Connections } from '../../../environment/connections.ts';
import { closeConnection, openConnection } from './connect.ts';
import { GRPC } from './problems.ts';

const SECONDS_PER_DAY = 86_400;
/** INDEXED_VALUE_TYPE_KEYWORD of Temporal's API: the only type that we use. */
const KEYWORD = 2;

export interface EngineSetup {
  /** What had to be made, in words; empty when everything was there. */
  made: string[];
}

export interface EngineSetupOptions {
  /** How long a closed workflow's history is kept, where the namespace has to be made. */
  retentionDays?: number;
  /** The engine serves nobody else: the retention of a namespace that is there already is set, too. */
  ours?: boolean;
}

/**
 * @throws ServiceError when the engine does not answer or does not allow it: on a shared engine an operator has to
 * create the namespace and the search attributes (see `SEARCH_ATTRIBUTE_TYPES`)
 */
export async function ensureEngine(
  engine: Connections['engine'],
  { retentionDays = 30, ours = false }: EngineSetupOptions = {},
): Promise<EngineSetup> {
  const connection = await openConnection(engine, 10);
  try {
    const made: string[] = [];
    if (await createNamespace(connection, engine.namespace, retentionDays)) made.push(`namespace ${engine.namespace}`);
    else if (ours && (await setRetention(connection, engine.namespace, retentionDays)))
      made.push(`retention of ${retentionDays} days`);
    made.push(
      ...(
        await onceKnown(async () =>
          addSearchAttributes(
            connection,
            engine.namespace,
            await missingSearchAttributes(connection, engine.namespace),
          ),
        )
      ).map((name) => `search attribute ${name}`),
    );
    return { made };
  } finally {
    await closeConnection(connection);
  }
}

async function createNamespace(connection: Connection, namespace: string, retentionDays: number): Promise<boolean> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return false;
  } catch (error) {
    if (codeOf(error) !== GRPC.notFound) throw error;
  }
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs(`${retentionDays} days`),
    });
    return true;
  } catch (error) {
    if (codeOf(error) === GRPC.alreadyExists) return false;
    throw error;
  }
}

async function setRetention(connection: Connection, namespace: string, retentionDays: number): Promise<boolean> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) === retentionDays * SECONDS_PER_DAY) return false;
  await connection.workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: msToTs(`${retentionDays} days`) },
  });
  return true;
}

/**
 * It takes time until all servers know a new namespace: up to ten seconds after it was made, some still say that there
 * is none.
 */
async function onceKnown<T>(work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (codeOf(error) !== GRPC.notFound || Date.now() > deadline) throw error;
    }
    await sleep(500);
  }
}

async function missingSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.keys(SEARCH_ATTRIBUTE_TYPES).filter((name) => customAttributes[name] === undefined);
}

/** All of ours are keywords. @returns the names. @throws the connection's error where an operator has to do it */
export async function addSearchAttributes(
  connection: Pick<Connection, 'operatorService'>,
  namespace: string,
  missing: readonly string[],
): Promise<readonly string[]> {
  if (missing.length === 0) return [];
  const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    if (codeOf(error) !== GRPC.alreadyExists) throw error;
  }
  return missing;
}

function codeOf(error: unknown): number | undefined {
  return (error as { code?: number } | undefined)?.code;
}
