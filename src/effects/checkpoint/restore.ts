/**
 * A checkpoint put beside the live database, counted, and then either dropped or put in its place. The live one is
 * never written to: it stays under another name.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Clients } from '../../clients/index.ts';
import type { CheckpointRecord } from '../../contract/checkpoint.ts';
import { AnantaError, DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { rewrittenTables, rowChanges, rowsOf } from '../../plan/checkpoint/contents.ts';
import {
  dropCommand,
  loadCommand,
  markCommand,
  reopenCommand,
  scratchCommand,
  swapCommand,
} from '../../plan/checkpoint/scripts.ts';
import { decrypted } from '../backup/age.ts';
import { DamagedBackupError } from '../backup/archive.ts';
import { type KeptSource, sourceOf } from '../backup/place/source.ts';
import { type Sum, sumOfStream } from '../backup/sum.ts';
import type { EffectScope } from '../effect.ts';
import { type DatabaseServer, databaseServer, readContents } from './server.ts';

export interface CheckpointFile {
  record: CheckpointRecord;
  /** Where it lies. */
  file: string | KeptSource;
  identities: readonly string[];
}

export interface LoadedCheckpoint {
  server: DatabaseServer;
  scratch: string;
  /** Of the scratch database, by which it is known from one that another attempt has made since. */
  oid: string;
  /** Rows by table: in the live database, and in the checkpoint. */
  now: Record<string, number>;
  then: Record<string, number>;
  /** Tables with as many rows in both, and other ones. */
  rewritten: string[];
}

/** By it a database that was put back knows which checkpoint it came from. */
function markOf({ run, at }: CheckpointRecord): string {
  return `ananta checkpoint of ${at}, run ${run}`;
}

function scratchOf({ database, run }: CheckpointRecord): string {
  return `${database.slice(0, 30)}_checkpoint_${createHash('sha256').update(run).digest('hex').slice(0, 8)}`;
}

/**
 * Whole and of the key that was given, its sum being that of the record.
 * @throws DamagedBackupError, IdentityError
 */
export async function checkDump({ record, file, identities }: CheckpointFile): Promise<void> {
  const source = sourceOf(file);
  const { location } = source;
  let dump: Sum;
  try {
    dump = await sumOfStream(await decrypted(await source.open(), identities));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new DamagedBackupError(`There is no file ${location}.`);
    // Another key, or a bucket that says no: nothing is known of the dump.
    if (error instanceof AnantaError) throw error;
    throw new DamagedBackupError(`${location} is damaged: ${message}`);
  }
  if (dump.sha256 !== record.dump?.sha256)
    throw new DamagedBackupError(`${location} is not what was recorded: its sum is another one.`);
}

/** How long a server may take to drop what an attempt has left, whoever has ended it. */
const DROP_MILLISECONDS = 15_000;

/**
 * Restored into a database of its own beside the live one, and counted. Where that does not come about, nothing stays
 * of it; what an earlier attempt has left, killed at whatever line, goes first.
 * @throws DeployError where the server's pods are simulated, or its tools say no
 */
export async function loadCheckpoint(
  clients: Pick<Clients, 'kubernetes' | 'catalog' | 'redactor'>,
  checkpoint: CheckpointFile,
  { signal, doing }: Pick<EffectScope, 'signal' | 'doing'>,
): Promise<LoadedCheckpoint> {
  const { record, file, identities } = checkpoint;
  const server = await databaseServer(clients, record, signal);
  if (server === undefined || record.dump === undefined)
    throw new DeployError(
      FAILURES.invalidInput,
      `The pods of ${record.server} are simulated: there is nothing in them, and nothing was dumped.`,
    );
  doing(`checks ${sourceOf(file).location}`);
  await checkDump(checkpoint);
  const scratch = scratchOf(record);
  doing(`restores into ${scratch}, beside ${record.database}`);
  await server.run(reopenCommand(record.database, scratch));
  try {
    const oid = lastLine(await server.run(scratchCommand(record.database, scratch)));
    const dump = await decrypted(await sourceOf(file).open(), identities);
    const input = Readable.from(dump) as AsyncIterable<Uint8Array>;
    await server.run(loadCommand(scratch, record.dump.bytes), { input });
    doing('counts rows');
    const [now, then] = [await readContents(server, record.database), await readContents(server, scratch)];
    return { server, scratch, oid, now: rowsOf(now), then: rowsOf(then), rewritten: rewrittenTables(now, then) };
  } catch (error) {
    await dropScratch({ server, scratch }).catch(() => undefined);
    throw error;
  }
}

/** Also for whoever was interrupted. */
export async function dropScratch({ server, scratch }: Pick<LoadedCheckpoint, 'server' | 'scratch'>): Promise<void> {
  await server.run(dropCommand(scratch), { signal: AbortSignal.timeout(DROP_MILLISECONDS) });
}

/** Whether the live database holds what the checkpoint holds, as far as its tables show. */
export function isSame({ now, then, rewritten }: Pick<LoadedCheckpoint, 'now' | 'then' | 'rewritten'>): boolean {
  return rewritten.length === 0 && rowChanges(now, then).length === 0;
}

/** Whether the live database was made from this checkpoint; it may have been written to since. */
export async function isPutBack(server: DatabaseServer, record: CheckpointRecord): Promise<boolean> {
  return (await server.run(markCommand(record.database))).trim() === markOf(record);
}

/** In one transaction; clients are cut off for that moment. @returns the name that the live one has from now on */
export async function putInPlace(
  { server, scratch, oid }: LoadedCheckpoint,
  record: CheckpointRecord,
): Promise<string> {
  const aside = `${record.database.slice(0, 30)}_before_restore_${Date.now().toString(36)}`;
  await server.run(swapCommand(record.database, { name: scratch, oid }, aside, markOf(record)));
  return aside;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
