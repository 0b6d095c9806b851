/** KV version 2: values with their version, written only over the version that was read. */
import { AnantaError, type NextStep } from '../../contract/errors.ts';
import { z } from 'zod';
import { VAULT } from '../../contract/names.ts';
import type { VaultSession } from './api.ts';
import { SecretFormatError, VaultError } from './errors.ts';

export interface KvEntry {
  /** The values that are text; the deployer writes no others. */
  data: Record<string, string>;
  /** Values of other types, written by others: they are never used, but are written back together with the rest. */
  other: Record<string, unknown>;
  version: number;
  /** Version and when it was written: a Vault that was made anew counts from 1 again. */
  revision: string;
}

const entrySchema = z.object({
  data: z.object({
    data: z.record(z.string(), z.unknown()).nullable(),
    metadata: z.object({ version: z.number(), created_time: z.string() }),
  }),
});
/** Newer servers say who it was. */
const actorSchema = z
  .looseObject({ actor: z.string().optional() })
  .nullish()
  .transform((who) => who?.actor ?? undefined);
const metadataSchema = z.object({
  data: z.object({
    current_version: z.number(),
    delete_version_after: z.string().default('0s'),
    versions: z
      .record(
        z.string(),
        z.object({
          created_time: z.string(),
          deletion_time: z.string().default(''),
          destroyed: z.boolean().default(false),
          created_by: actorSchema,
          deleted_by: actorSchema,
        }),
      )
      .default({}),
  }),
});
const writtenSchema = z.object({ data: z.object({ version: z.number() }) });

/** Another writer has changed the path since it was read. */
export class KvConflictError extends AnantaError {
  override name = 'KvConflictError';
  override readonly next: readonly NextStep[] = [{ command: 'again' }];
}

/** @returns undefined when the path does not exist or its newest version was deleted */
export function readKv(session: VaultSession, path: string, signal?: AbortSignal): Promise<KvEntry | undefined> {
  return readEntry(session, `${VAULT.kvMount}/data/${path}`, signal);
}

async function readEntry(session: VaultSession, request: string, signal?: AbortSignal): Promise<KvEntry | undefined> {
  const answer = await session.read(request, signal);
  if (answer === undefined) return undefined;
  const parsed = entrySchema.safeParse(answer);
  if (!parsed.success) {
    throw new SecretFormatError(
      `${request}: Vault's answer is not that of KV version 2. Is something else mounted there?`,
    );
  }
  const { data, metadata } = parsed.data.data;
  if (data === null) return undefined;
  const isText = ([, value]: [string, unknown]): boolean => typeof value === 'string';
  const entries = Object.entries(data);
  return {
    data: Object.fromEntries(entries.filter(isText)) as Record<string, string>,
    other: Object.fromEntries(entries.filter((entry) => !isText(entry))),
    version: metadata.version,
    revision: `${metadata.version}@${metadata.created_time}`,
  };
}

export interface KvVersion {
  version: number;
  /** ISO 8601. */
  createdAt: string;
  createdBy: string | undefined;
  /** Deleted softly: it can come back. */
  deletedAt?: string;
  deletedBy?: string | undefined;
  /** Gone for good. */
  destroyed: boolean;
}

export interface KvHistory {
  /** Number of the newest version; 0 when there never was one, or all of its metadata were deleted. */
  newest: number;
  /** Newest first, as far as Vault still knows them. */
  versions: KvVersion[];
  /** Go duration after which Vault deletes each new version; `0s`: never. */
  deleteAfter: string;
}

/** All versions of a path, without their values. */
export async function historyOfKv(session: VaultSession, path: string, signal?: AbortSignal): Promise<KvHistory> {
  const answer = await session.read(`${VAULT.kvMount}/metadata/${path}`, signal);
  if (answer === undefined) return { newest: 0, versions: [], deleteAfter: '0s' };
  const { current_version: newest, versions, delete_version_after: deleteAfter } = metadataSchema.parse(answer).data;
  const known = Object.entries(versions).map(
    ([
      version,
      { created_time: createdAt, created_by: createdBy, deletion_time: deletedAt, deleted_by: deletedBy, destroyed },
    ]) => ({
      version: Number(version),
      createdAt,
      createdBy,
      destroyed,
      ...(deletedAt === '' ? {} : { deletedAt, deletedBy }),
    }),
  );
  return { newest, versions: known.sort((a, b) => b.version - a.version), deleteAfter };
}

/** Values of one version, or undefined when it is deleted. */
export async function readKvVersion(
  session: VaultSession,
  path: string,
  version: number,
  signal?: AbortSignal,
): Promise<KvEntry | undefined> {
  return readEntry(session, `${VAULT.kvMount}/data/${path}?version=${version}`, signal);
}

/** Brings back a version that was deleted softly. */
export async function undeleteKv(
  session: VaultSession,
  path: string,
  version: number,
  signal?: AbortSignal,
): Promise<void> {
  await session.write(`${VAULT.kvMount}/undelete/${path}`, { versions: [version] }, signal);
}

/** Newest version of a path, without its values: number 0 when there is none, no revision when it was deleted. */
export async function versionOfKv(
  session: VaultSession,
  path: string,
  signal?: AbortSignal,
): Promise<{ version: number; revision?: string }> {
  const answer = await session.read(`${VAULT.kvMount}/metadata/${path}`, signal);
  if (answer === undefined) return { version: 0 };
  const { current_version: version, versions } = metadataSchema.parse(answer).data;
  const newest = versions[String(version)];
  if (!newest || newest.destroyed || newest.deletion_time !== '') return { version };
  return { version, revision: `${version}@${newest.created_time}` };
}

/**
 * @param data all of the new version: what is left out is gone, so an entry's `other` values belong in it, too
 * @param version the version that was read; 0 where there was none
 * @returns the new version
 * @throws KvConflictError
 */
export async function writeKv(
  session: VaultSession,
  path: string,
  data: Readonly<Record<string, unknown>>,
  version: number,
  signal?: AbortSignal,
): Promise<number> {
  try {
    return writtenSchema.parse(
      await session.write(`${VAULT.kvMount}/data/${path}`, { data, options: { cas: version } }, signal),
    ).data.version;
  } catch (error) {
    if (error instanceof VaultError && error.status === 400 && error.message.includes('check-and-set'))
      throw new KvConflictError(`${path} was written by somebody else at the same time`);
    throw error;
  }
}
