/** KV version 2: values with their version, written only over the version that was read. */
import { z } from 'zod';
import { VAULT } from '../../contract/names.ts';
import type { VaultSession } from './api.ts';
import { VaultError } from './errors.ts';

export interface KvEntry {
  data: Record<string, string>;
  version: number;
  /** Version and when it was written: a Vault that was made anew counts from 1 again. */
  revision: string;
}

const entrySchema = z.object({ data: z.object({ data: z.record(z.string(), z.string()).nullable(), metadata: z.object({ version: z.number(), created_time: z.string() }) }) });
const metadataSchema = z.object({
  data: z.object({ current_version: z.number(), versions: z.record(z.string(), z.object({ created_time: z.string(), deletion_time: z.string().default(''), destroyed: z.boolean().default(false) })).default({}) }),
});
const writtenSchema = z.object({ data: z.object({ version: z.number() }) });

/** Somebody else wrote the path since it was read. */
export class KvConflictError extends Error {
  override name = 'KvConflictError';
}

/** @returns undefined when the path does not exist or its newest version was deleted */
export async function readKv(session: VaultSession, path: string, signal?: AbortSignal): Promise<KvEntry | undefined> {
  const answer = await session.read(`${VAULT.kvMount}/data/${path}`, signal);
  if (answer === undefined) return undefined;
  const { data, metadata } = entrySchema.parse(answer).data;
  return data === null ? undefined : { data, version: metadata.version, revision: `${metadata.version}@${metadata.created_time}` };
}

/** Newest version of a path, without its values: number 0 when there is none, no revision when it was deleted. */
export async function versionOfKv(session: VaultSession, path: string, signal?: AbortSignal): Promise<{ version: number; revision?: string }> {
  const answer = await session.read(`${VAULT.kvMount}/metadata/${path}`, signal);
  if (answer === undefined) return { version: 0 };
  const { current_version: version, versions } = metadataSchema.parse(answer).data;
  const newest = versions[String(version)];
  if (!newest || newest.destroyed || newest.deletion_time !== '') return { version };
  return { version, revision: `${version}@${newest.created_time}` };
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
