/**
 * Which keys an environment's histories need, as the engine keeps it for everybody who uses it: names and check values,
 * no keys.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { keysScheduleId } from '../../../contract/names.ts';
import { HistoryKeysError } from '../errors.ts';
import { type Kept, keep, keepInstead, readKept } from '../kept.ts';
import { checkOf, type KeyRing } from './ring.ts';

const recordSchema = z.object({
  environment: z.string(),
  /** Check values by the key's id. */
  keys: z.record(z.string(), z.string()),
});
export type KeyRecord = z.infer<typeof recordSchema>;

const ATTEMPTS = 5;

/** @returns no keys where nothing was ever encrypted */
export async function readKeyRecord(client: Client, environment: string): Promise<KeyRecord> {
  const found = await readKept(client, keysScheduleId(environment));
  return found === undefined ? { environment, keys: {} } : recordSchema.parse(found.value);
}

/**
 * Whoever is to write or to work has to have every key that is in use; keys that are new are put down.
 * @param ring undefined: this process has none
 * @throws HistoryKeysError naming what is missing, or another key of the same name
 */
export async function agreeOnKeys(client: Client, environment: string, ring: KeyRing | undefined): Promise<void> {
  await changeRecord(client, environment, (record) => {
    refuseDifferences(record, ring);
    const own = Object.fromEntries((ring?.keys ?? []).map((key) => [key.id, checkOf(key)]));
    return { environment, keys: { ...record.keys, ...own } };
  });
}

/** From now on nobody needs the key. @throws HistoryKeysError when the engine does not take that in */
export async function forgetKey(client: Client, environment: string, id: string): Promise<void> {
  await changeRecord(client, environment, ({ keys: { [id]: _gone, ...rest } }) => ({ environment, keys: rest }));
}

/** Until the record is as wanted of what it says then. */
async function changeRecord(
  client: Client,
  environment: string,
  wantedOf: (record: KeyRecord) => KeyRecord,
): Promise<void> {
  for (let left = ATTEMPTS; ; left -= 1) {
    const record = await readKeyRecord(client, environment);
    const wanted = wantedOf(record);
    if (isDeepStrictEqual(wanted, record)) return;
    // Somebody else may have changed it at the same time, and the engine drops such an update without a word.
    if (left === 0) throw new HistoryKeysError(`The engine did not take in the names of the keys of "${environment}".`);
    await writeKeyRecord(client, wanted);
  }
}

/** @throws HistoryKeysError: histories are, or will be, encrypted with what is not here. Pure */
export function refuseDifferences({ environment, keys }: KeyRecord, ring: KeyRing | undefined): void {
  const own = new Map((ring?.keys ?? []).map((key) => [key.id, checkOf(key)]));
  const missing = Object.keys(keys).filter((id) => !own.has(id));
  const other = Object.keys(keys).filter((id) => own.has(id) && own.get(id) !== keys[id]);
  if (missing.length === 0 && other.length === 0) return;
  const bring = 'Bring the file with all keys here (encryption.keysFile; docs/look-up/encryption.md).';
  if (other.length > 0)
    throw new HistoryKeysError(
      `The key ${other.join(', ')} here is not the one of that name with which histories of "${environment}" are encrypted: nothing of them could be read, and nobody else could read ours.`,
      [bring],
    );
  throw new HistoryKeysError(
    ring === undefined
      ? `Histories of "${environment}" are encrypted (${missing.join(', ')}), and the environment's file here says nothing of encryption: nothing of them could be read.`
      : `Histories of "${environment}" are encrypted with ${missing.join(', ')}, which ${missing.length === 1 ? 'is' : 'are'} not among the keys here (${[...own.keys()].join(', ')}).`,
    [
      bring,
      `Is ${missing.length === 1 ? 'it' : 'one of them'} lost for good? npm run ananta -- codec retire KEY --lost --env ${environment}   (docs/look-up/encryption.md, "A key is lost")`,
    ],
  );
}

async function writeKeyRecord(client: Client, record: KeyRecord): Promise<void> {
  const { environment, keys } = record;
  const kept: Kept = {
    scheduleId: keysScheduleId(environment),
    workflowType: 'historyKeys',
    value: record,
    note: `Histories of environment ${environment} are encrypted with the keys ${Object.keys(keys).join(', ')}. This schedule only keeps their names: it never runs.`,
  };
  if (!(await keep(client, kept))) await keepInstead(client, kept);
}
