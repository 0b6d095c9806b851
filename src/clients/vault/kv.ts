/** KV version 2: values with their version, written only over the version that was read. */
import { z } from 'zod';
import { VAULT } from '../../contract/names.ts';
import type { VaultSession } from './api.ts';
import { VaultError } from './errors.ts';

export interface KvEntry {
  data: Record<string, string>;
  version: number;
}

const entrySchema = z.object({ data: z.object({ data: z.record(z.string(), z.string()).nullable(), metadata: z.object({ version: z.number() }) }) });
const metadataSchema = z.object({ data: z.object({ current_version: z.number() }) });
const writtenSchema = z.object({ data: z.object({ version: z.number() }) });

/** Somebody else wrote the path since it was read. */
export class KvConflictError extends Error {
  override name = 'KvConflictError';
}

/** @returns undefined when the path does not exist or its newest version was deleted */
export async function readKv(session: VaultSession, path: string, signal?: AbortSignal): Promise<KvEntry | undefined> {
  const answer = await session.read(`${VAULT.kvMount}/data/${path}`, signal);
  if (answer === undefined) return undefined;
  const { data } = entrySchema.parse(answer).data;
  return data === null ? undefined : { data, version: entrySchema.parse(answer).data.metadata.version };
}

/** Newest version of a path, without its values; 0 when there is none. */
export async function versionOfKv(session: VaultSession, path: string, signal?: AbortSignal): Promise<number> {
  const answer = await session.read(`${VAULT.kvMount}/metadata/${path}`, signal);
  return answer === undefined ? 0 : metadataSchema.parse(answer).data.current_version;
}

/**
 * @param version the version that was read; 0 where there was none
 * @returns the new version
 * @throws KvConflictError
 */
export async function writeKv(session: VaultSession, path: string, data: Record<string, string>, version: number, signal?: AbortSignal): Promise<number> {
  try {
    return writtenSchema.parse(await session.write(`${VAULT.kvMount}/data/${path}`, { data, options: { cas: version } }, signal)).data.version;
  } catch (error) {
    if (error instanceof VaultError && error.status === 400 && error.message.includes('check-and-set')) throw new KvConflictError(`${path} was written by somebody else at the same time`);
    throw error;
  }
}
