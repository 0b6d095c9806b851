/**
 * What a rotation has done so far, in Vault: the next value stands there before any server gets it, the former one
 * until its server refuses it. Written with check-and-set, so that two never work on one secret.
 */
import { z } from 'zod';
import {
  KvConflictError,
  type KvEntry,
  readKv,
  type VaultSession,
  versionOfKv,
  writeKv,
} from '../../clients/vault/index.ts';
import type { SecretName } from '../../contract/operations/secret-name.ts';

const recordSchema = z.object({
  /** `added`: Vault's path has not been written yet. `written`: it has; the former value is still good. */
  state: z.enum(['added', 'written']),
  /** ISO 8601. */
  since: z.string(),
  value: z.string().min(1),
  former: z.string(),
  username: z.string(),
  formerUsername: z.string(),
});
export type RotationRecord = z.infer<typeof recordSchema>;

export interface KeptRotation {
  record: RotationRecord | undefined;
  /** Of the record's path; 0: there was never one. */
  version: number;
}

const FOLDER = 'ananta-deploy/rotation';
/** When each secret was last rotated, and what has begun: a key each, ISO 8601. */
const LEDGER = 'ananta-deploy/rotated';
const LEDGER_TRIES = 5;

function recordPath({ path, key }: SecretName): string {
  return `${FOLDER}/${path}/${key}`;
}

/** What stands in the place of a record whose former value is refused. */
const endedSchema = z.object({ state: z.literal('ended'), at: z.string() });

/** @returns no record where none is at work: one that has ended says so, and no value any more */
export async function readRotation(
  session: VaultSession,
  secret: SecretName,
  signal?: AbortSignal,
): Promise<KeptRotation> {
  const entry = await readKv(session, recordPath(secret), signal);
  const parsed = recordSchema.safeParse(entry?.data);
  const version = entry?.version ?? (await versionOfKv(session, recordPath(secret), signal)).version;
  return { record: parsed.success ? parsed.data : undefined, version };
}

/** Before its server gets the value. @throws KvConflictError */
export async function beginRotation(
  session: VaultSession,
  secret: SecretName,
  record: RotationRecord,
  version: number,
  signal?: AbortSignal,
): Promise<void> {
  await note(session, { [begunKey(secret)]: record.since }, signal);
  await keepRotation(session, secret, record, version, signal);
}

/** @throws KvConflictError */
export async function keepRotation(
  session: VaultSession,
  secret: SecretName,
  record: RotationRecord,
  version: number,
  signal?: AbortSignal,
): Promise<void> {
  await writeKv(session, recordPath(secret), record, version, signal);
}

/**
 * The former value is good for nothing any more. The ledger comes last: whatever cuts this off, a rotation that it does
 * not call ended is named by drift.
 * @param at ISO 8601
 */
export async function endRotation(
  session: VaultSession,
  secret: SecretName,
  { version }: Pick<KeptRotation, 'version'>,
  at: string,
  signal?: AbortSignal,
): Promise<void> {
  await writeKv(session, recordPath(secret), { state: 'ended', at }, version, signal);
  await noteEnd(session, secret, at, signal);
}

/** For one whose record says that it has ended: an attempt before may have got no further than that. */
export async function settleEnd(session: VaultSession, secret: SecretName, signal?: AbortSignal): Promise<void> {
  const parsed = endedSchema.safeParse((await readKv(session, recordPath(secret), signal))?.data);
  if (parsed.success && (await readDates(session, signal))(secret).begun !== undefined)
    await noteEnd(session, secret, parsed.data.at, signal);
}

async function noteEnd(session: VaultSession, secret: SecretName, at: string, signal?: AbortSignal): Promise<void> {
  await note(session, { [endedKey(secret)]: at, [begunKey(secret)]: undefined }, signal);
}

/**
 * Both values of each rotation that has begun and not ended, for texts that must not show them. One request, and one
 * more for each of those.
 */
export async function valuesAtWork(
  session: VaultSession,
  secrets: readonly SecretName[],
  signal?: AbortSignal,
): Promise<string[]> {
  if (secrets.length === 0) return [];
  const dates = await readDates(session, signal);
  const begun = secrets.filter((secret) => dates(secret).begun !== undefined);
  const entries = await Promise.all(begun.map((secret) => readKv(session, recordPath(secret), signal)));
  return entries.flatMap((entry) => {
    const { success, data } = recordSchema.safeParse(entry?.data);
    return success ? [data.value, data.former] : [];
  });
}

export interface RotationDates {
  /** When it was last rotated, ISO 8601. */
  ended?: string;
  /** A rotation that has not ended: since when, ISO 8601. */
  begun?: string;
}

/** Of every secret that was ever rotated. One request. */
export async function readDates(
  session: VaultSession,
  signal?: AbortSignal,
): Promise<(secret: SecretName) => RotationDates> {
  const data = (await readKv(session, LEDGER, signal))?.data ?? {};
  return (secret) => {
    const [ended, begun] = [data[endedKey(secret)], data[begunKey(secret)]];
    return { ...(ended === undefined ? {} : { ended }), ...(begun === undefined ? {} : { begun }) };
  };
}

const endedKey = ({ path, key }: SecretName): string => `${path} ${key}`;
const begunKey = (secret: SecretName): string => `begun ${endedKey(secret)}`;

/** Several may begin and end at once. */
async function note(
  session: VaultSession,
  changes: Readonly<Record<string, string | undefined>>,
  signal?: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const known: KvEntry | undefined = await readKv(session, LEDGER, signal);
    const version = known?.version ?? (await versionOfKv(session, LEDGER, signal)).version;
    const data = Object.entries({ ...known?.other, ...known?.data, ...changes });
    try {
      await writeKv(
        session,
        LEDGER,
        Object.fromEntries(data.filter(([, value]) => value !== undefined)),
        version,
        signal,
      );
      return;
    } catch (error) {
      if (!(error instanceof KvConflictError) || attempt === LEDGER_TRIES) throw error;
    }
  }
}
