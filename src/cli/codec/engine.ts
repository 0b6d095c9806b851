/** What the engine knows of an environment's keys. */
import type { Client } from '@temporalio/client';
import { HistoryKeysError } from '../../clients/temporal/errors.ts';
import {
  agreeOnKeys,
  forgetKey,
  type KeyRecord,
  readKeyRecord,
  refuseDifferences,
} from '../../clients/temporal/encryption/record.ts';
import type { KeyRing } from '../../clients/temporal/encryption/ring.ts';
import { withoutKeys } from '../../clients/temporal/encryption/readable.ts';
import { closeTemporal, connectTemporal } from '../../clients/temporal/index.ts';
import { resolveConnections } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import type { CliContext } from '../shared/context.ts';
import { type KeyUsage, usageOf } from './usage.ts';

export interface Asked<T> {
  answer?: T;
  /** Why there is none. */
  problem?: string;
}

export interface EngineKeys {
  record: () => Promise<KeyRecord>;
  /** @throws HistoryKeysError where histories need a key that is not in the ring, or another one of its name */
  requireSame: (ring: KeyRing | undefined) => Promise<void>;
  /** By the key's id. @param only of one key */
  usage: (ring: KeyRing, only?: string) => Promise<Map<string, KeyUsage>>;
  /**
   * Puts down keys that are new. @returns why the engine does not know them; undefined: it does. @throws
   * HistoryKeysError
   */
  tell: (ring: KeyRing) => Promise<string | undefined>;
  forget: (id: string) => Promise<void>;
}

export function engineKeys(client: Client, environment: string): EngineKeys {
  return {
    record: () => readKeyRecord(client, environment),
    requireSame: async (ring) => refuseDifferences(await readKeyRecord(client, environment), ring),
    usage: (ring, only) => usageOf(client, environment, ring, only),
    tell: (ring) =>
      agreeOnKeys(client, environment, ring).then(
        () => undefined,
        (error: unknown) => {
          if (error instanceof HistoryKeysError) throw error;
          return away(error);
        },
      ),
    forget: (id) => forgetKey(client, environment, id),
  };
}

/** An engine that is away is no reason not to make a key. @throws what `work` refuses */
export async function withEngineKeys<T>(
  { config }: CliContext,
  environment: Environment,
  work: (keys: EngineKeys) => Promise<T>,
): Promise<Asked<T>> {
  let client: Client;
  try {
    const { engine } = await resolveConnections(environment, config);
    const { encryption: _keys, ...way } = engine;
    client = await connectTemporal(way, 3);
  } catch (error) {
    if (error instanceof HistoryKeysError) throw error;
    return { problem: away(error) };
  }
  try {
    return { answer: await work(engineKeys(withoutKeys(client), environment.name)) };
  } finally {
    await closeTemporal(client).catch(() => undefined);
  }
}

function away(error: unknown): string {
  return `the engine does not answer (${error instanceof Error ? error.message : String(error)})`;
}
