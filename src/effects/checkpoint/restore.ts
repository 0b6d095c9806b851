/**
 * A checkpoint put beside the live database, counted, and then either dropped or put in its place. The live one is
 * never written to: it stays under another name.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Clients } from '../../clients/index.ts';
import type { CheckpointRecord } from '../../contract/checkpoint.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { dropCommand, loadCommand, markCommand, scratchCommand, swapCommand } from '../../plan/checkpoint/scripts.ts';
import { decrypted } from '../backup/age.ts';
import { DamagedBackupError } from '../backup/archive.ts';
import { type Sum, sumOfStream } from '../backup/sum.ts';
import type { EffectScope } from '../effect.ts';
import { countRows, type DatabaseServer, databaseServer } from './server.ts';

export interface CheckpointFile {
  record: CheckpointRecord;
  /** Where it lies here. */
  file: string;
  identities: readonly string[];
}

export interface LoadedCheckpoint {
  server: DatabaseServer;
  scratch: string;
  /** Rows by table: in the live database, and in the checkpoint. */
  now: Record<string, number>;
  then: Record<string, number>;
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
  let dump: Sum;
  try {
    dump = await sumOfStream(await decrypted(createReadStream(file), identities));
  } catch (error) {
    const { code, message, name } = error as NodeJS.ErrnoException;
    if (name === 'IdentityError') throw error;
    throw new DamagedBackupError(code === 'ENOENT' ? `There is no file ${file}.` : `${file} is damaged: ${message}`);
  }
  if (dump.sha256 !== record.dump?.sha256)
    throw new DamagedBackupError(`${file} is not what was recorded: its sum is another one.`);
}

/**
 * Restored into a database of its own beside the live one, and counted.
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
  doing(`checks ${file}`);
  await checkDump(checkpoint);
  const scratch = scratchOf(record);
  doing(`restores into ${scratch}, beside ${record.database}`);
  await server.run(scratchCommand(record.database, scratch));
  const dump = await decrypted(createReadStream(file), identities);
  await server.run(loadCommand(scratch, record.dump.bytes), Readable.from(dump) as AsyncIterable<Uint8Array>);
  doing('counts rows');
  const [now, then] = [await countRows(server, record.database), await countRows(server, scratch)];
  return { server, scratch, now, then };
}

export async function dropScratch({ server, scratch }: LoadedCheckpoint): Promise<void> {
  await server.run(dropCommand(scratch));
}

/** Whether the live database is this checkpoint already: then it is not put back once more. */
export async function isPutBack(server: DatabaseServer, record: CheckpointRecord): Promise<boolean> {
  return (await server.run(markCommand(record.database))).trim() === markOf(record);
}

/** In one transaction; clients are cut off for that moment. @returns the name that the live one has from now on */
export async function putInPlace({ server, scratch }: LoadedCheckpoint, record: CheckpointRecord): Promise<string> {
  const aside = `${record.database.slice(0, 30)}_before_restore_${Date.now().toString(36)}`;
  await server.run(swapCommand(record.database, scratch, aside, markOf(record)));
  return aside;
}
