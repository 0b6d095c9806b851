/** `ananta checkpoint list`: from the records in the cluster. */
import { hostname } from 'node:os';
import type { KeptSnapshot } from '../../contract/checkpoint.ts';
import { readCheckpoints, type StoredCheckpoint } from '../../effects/checkpoint/record.ts';
import { bytesWord } from '../backup/words.ts';
import { withVersions } from '../history/read.ts';
import type { CliContext } from '../shared/context.ts';
import { count, duration, table } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import type { CheckpointListOptions } from './options.ts';

export async function listCheckpoints(context: CliContext, { env, json }: CheckpointListOptions): Promise<void> {
  const records = await withVersions(context, env, ({ kubernetes }, { name }) => readCheckpoints(kubernetes, name));
  printLines(
    context.terminal.stdout,
    json
      ? [JSON.stringify(records.map((record) => ({ id: idOf(record), ...record })))]
      : checkpointLines(env, records, Date.now()),
  );
}

/** Short: what the name of its record ends with. */
export function idOf({ name }: Pick<StoredCheckpoint, 'name'>): string {
  return name.slice(name.lastIndexOf('-') + 1);
}

/** @param records the newest first. @param now milliseconds */
export function checkpointLines(environment: string, records: readonly StoredCheckpoint[], now: number): string[] {
  if (records.length === 0) return [`No checkpoint of a database of ${environment} is on record.`];
  return [
    ...table([
      ['Checkpoint', 'Database', 'Taken (UTC)', 'Age', 'Size', 'Before', 'Where'],
      ...records.map((record) => [
        idOf(record),
        `${record.server}/${record.database}`,
        record.at.slice(0, 19).replace('T', ' '),
        duration((now - Date.parse(record.at)) / 1000),
        sizeWords(record),
        record.before.join(', '),
        locationWords(record),
      ]),
    ]),
    '',
    `${count(records.length, 'checkpoint')} of ${environment}.`,
  ];
}

/** Whose folder it is, where that is not this machine. */
function locationWords({ file, keeper, snapshots }: StoredCheckpoint): string {
  if (snapshots !== undefined) return snapshotWords(snapshots);
  if (file === undefined) return 'nothing: its pods are simulated';
  return keeper === undefined || keeper === hostname() || !file.startsWith('/') ? file : `${file} (${keeper})`;
}

export function snapshotWords(snapshots: readonly KeptSnapshot[]): string {
  const names = snapshots.map(({ namespace, name }) => `${namespace}/${name}`);
  return `VolumeSnapshot${names.length === 1 ? '' : 's'} ${names.join(', ')}`;
}

function sizeWords({ encrypted, snapshots = [] }: StoredCheckpoint): string {
  return encrypted === undefined ? snapshots.flatMap(({ size }) => size ?? []).join(', ') : bytesWord(encrypted.bytes);
}
