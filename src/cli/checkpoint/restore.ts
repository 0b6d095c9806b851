/** `ananta checkpoint verify|restore`. */
import type { Clients } from '../../clients/index.ts';
import { readIdentities } from '../../effects/backup/age.ts';
import { keptAt } from '../../effects/backup/place/index.ts';
import { readCheckpoints, type StoredCheckpoint } from '../../effects/checkpoint/record.ts';
import {
  type CheckpointFile,
  dropScratch,
  isPutBack,
  isSame,
  loadCheckpoint,
  type LoadedCheckpoint,
  putInPlace,
} from '../../effects/checkpoint/restore.ts';
import { databaseServer } from '../../effects/checkpoint/server.ts';
import { commandScope, type EffectScope } from '../../effects/effect.ts';
import { onRecord } from '../../effects/records/on-record.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { Environment } from '../../environment/schema.ts';
import { rowChanges } from '../../plan/checkpoint/contents.ts';
import { requireNobodyAtWork } from '../backup/at-work.ts';
import { checkName, confirmByName } from '../shared/confirm.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine, count, duration, table } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import { idOf } from './list.ts';
import { claimsFromSnapshots, verifySnapshots } from './snapshots.ts';
import type { CheckpointReadOptions, CheckpointRestoreOptions } from './options.ts';

export async function verifyCheckpoint(context: CliContext, id: string, options: CheckpointReadOptions): Promise<void> {
  const environment = await loadEnvironment(options.env, context.config);
  await withCheckpoint(context, environment, id, options, async (clients, checkpoint, scope) => {
    if (checkpoint.record.snapshots !== undefined)
      return verifySnapshots(context, clients, checkpoint.record, options.json, scope.signal);
    const loaded = await loadCheckpoint(clients, checkpoint, scope);
    await dropScratch(loaded);
    const { record } = checkpoint;
    const { now, then, rewritten } = loaded;
    printLines(
      context.terminal.stdout,
      options.json
        ? [JSON.stringify({ id: idOf(record), database: `${record.server}/${record.database}`, now, then, rewritten })]
        : [
            ...changeLines(loaded),
            '',
            `Checkpoint ${idOf(record)} of ${record.server}/${record.database} restores: ${count(Object.keys(then).length, 'table')}, ${count(total(then), 'row')}. It was dropped again.`,
          ],
    );
  });
}

export async function restoreCheckpoint(
  context: CliContext,
  id: string,
  options: CheckpointRestoreOptions,
): Promise<void> {
  const { terminal } = context;
  const environment = await loadEnvironment(options.env, context.config);
  const { name } = environment;
  checkName({
    name,
    confirm: options.confirm,
    interactive: terminal.interactive,
    needed: true,
    what: `Putting a database of "${name}" back`,
    again: commandLine('checkpoint', 'restore', id, '--env', name, ...identityOf(options), '--confirm', name),
    after: 'after you have read what "checkpoint verify" shows',
  });
  await withCheckpoint(context, environment, id, options, async (clients, { record }, scope) => {
    await requireNobodyAtWork(clients, name, await clients.kubernetes.clusterUid(scope.signal));
    if (record.snapshots !== undefined)
      return claimsFromSnapshots(context, clients, record, options.json, scope.signal);
    const { identity = '' } = options;
    const done = await putBack(
      context,
      clients,
      record,
      { ...options, identity, name, repeat: options.again ? 'yes' : 'ask' },
      scope,
    );
    const where = `${record.server}/${record.database}`;
    if (options.json) printLines(terminal.stdout, [JSON.stringify({ id: idOf(record), ...done })]);
    else if (done.changed)
      printLines(terminal.stdout, [
        `${terminal.style('bold', 'Next:')} ${commandLine('rollback', '--env', name, '--past-no-return')}   (the releases that fit it)`,
      ]);
    else printLines(terminal.stdout, [`${where} is that checkpoint already.`]);
  });
}

export interface PutBackOptions {
  /** Of the environment. */
  name: string;
  identity: string;
  file?: string;
  confirm?: string;
  json?: true;
  /** Where it was put back before and was written to since: once more, a word for it first, or never. */
  repeat: 'yes' | 'ask' | 'never';
}

/**
 * Shows what goes, asks where nobody has confirmed it, and swaps. One that is in place already, and holds the same, is
 * left alone.
 * @throws CliError (refused) when something else is typed, or a second time was not asked for
 */
export async function putBack(
  { terminal }: Pick<CliContext, 'terminal'>,
  clients: Clients,
  record: StoredCheckpoint,
  { name, identity, file = record.file, confirm, json, repeat }: PutBackOptions,
  scope: EffectScope,
): Promise<{ changed: false } | { changed: true; aside: string; now: object; then: object }> {
  const where = `${record.server}/${record.database}`;
  const say = (lines: string[]): void => printLines(json ? terminal.stderr : terminal.stdout, lines);
  const server = await databaseServer(clients, record, scope.signal);
  if (record.snapshots !== undefined)
    throw refused(
      `The checkpoint of ${where} is a snapshot of its volumes, which is not put in the place of the live one by itself: nothing was touched.`,
      `${commandLine('checkpoint', 'restore', idOf(record), '--env', name)}   (makes claims from it, and says how to use them)`,
    );
  if (server === undefined || file === undefined) {
    say([`Nothing of ${where} is put back: its pods are simulated, and nothing is in them.`]);
    return { changed: false };
  }
  const before = await isPutBack(server, record);
  if (before && repeat === 'never') {
    say([
      `${where} was put back from checkpoint ${idOf(record)} before, and is not put back twice; what was written since stays.`,
    ]);
    return { changed: false };
  }
  const identities = await readIdentities(identity);
  const source = keptAt(clients, file, scope.signal);
  const loaded = await loadCheckpoint(clients, { record, file: source, identities }, scope);
  try {
    if (before && isSame(loaded)) {
      await dropScratch(loaded);
      return { changed: false };
    }
    say([
      ...(before ? [`${where} was put back from this checkpoint before, and has been written to since.`] : []),
      `${where} goes back to ${record.at}, ${duration((Date.now() - Date.parse(record.at)) / 1000)} ago. What was written since stays aside, under another name:`,
      ...changeLines(loaded),
      '',
    ]);
    if (before && repeat === 'ask' && confirm !== undefined)
      throw refused(
        `${where} was put back from checkpoint ${idOf(record)} before, and has been written to since: nothing was touched.`,
        `${commandLine('checkpoint', 'restore', idOf(record), '--env', name, '--identity', identity, '--again', '--confirm', name)}   (once more)`,
      );
    if (confirm === undefined)
      await confirmByName(name, `This puts ${where} back; its clients are cut off for a moment.`, scope.signal);
  } catch (error) {
    await dropScratch(loaded);
    throw error;
  }
  const clusterUid = await clients.kubernetes.clusterUid(scope.signal);
  const work = {
    environment: name,
    clusterUid,
    operation: 'checkpoint restore',
    digest: record.dump?.sha256.slice(0, 16) ?? '',
  } as const;
  const aside = await onRecord(clients, work, () => putInPlace(loaded, record));
  say([
    `${where} is as it was at ${record.at}. What it was until now is the database ${aside} on the same server, closed; drop it when nobody needs it.`,
  ]);
  return { changed: true, aside, now: loaded.now, then: loaded.then };
}

function total(rows: Readonly<Record<string, number>>): number {
  return Object.values(rows).reduce((sum, one) => sum + one, 0);
}

/** Tables whose rows differ, in number or in what is in them. */
function changeLines({ now, then, rewritten }: Pick<LoadedCheckpoint, 'now' | 'then' | 'rewritten'>): string[] {
  const changes = rowChanges(now, then);
  return [
    ...(changes.length === 0
      ? [rewritten.length === 0 ? 'Every table holds the same rows as now.' : 'Every table has as many rows as now.']
      : table([
          ['Table', 'Rows now', 'Rows in the checkpoint'],
          ...changes.map((one) => [one.table, String(one.now ?? 'none'), String(one.then ?? 'not there')]),
        ])),
    ...(rewritten.length === 0 ? [] : [`As many rows, and others among them: ${rewritten.join(', ')}.`]),
  ];
}

/** @throws CliError (refused) for one that is not on record, or of simulated pods */
async function withCheckpoint(
  context: CliContext,
  environment: Environment,
  id: string,
  options: CheckpointReadOptions,
  work: (
    clients: Clients,
    checkpoint: CheckpointFile & { record: StoredCheckpoint },
    scope: EffectScope,
  ) => Promise<void>,
): Promise<void> {
  const identities = options.identity === undefined ? undefined : await readIdentities(options.identity);
  const { withLiveClients } = await import('../shared/clients.ts');
  await withLiveClients(context, environment, async (clients, signal) => {
    const scope = commandScope(signal, (text) => printLines(context.terminal.stderr, [`  ${text}`]));
    const records = await readCheckpoints(clients.kubernetes, environment.name, signal);
    const record = id === 'latest' ? records[0] : records.find((one) => idOf(one) === id);
    if (record === undefined)
      throw refused(
        records.length === 0
          ? `No checkpoint of a database of "${environment.name}" is on record.`
          : `There is no checkpoint ${id} of "${environment.name}".`,
        commandLine('checkpoint', 'list', '--env', environment.name),
      );
    if (record.snapshots !== undefined) return work(clients, { record, file: '', identities: [] }, scope);
    const file = options.file ?? record.file;
    if (file !== undefined && identities === undefined)
      throw refused(
        `Checkpoint ${idOf(record)} is encrypted: name the private key that opens it.`,
        'Say it again with: --identity FILE',
      );
    if (file === undefined || identities === undefined)
      throw refused(`Checkpoint ${idOf(record)} holds nothing: the pods of ${record.server} were simulated.`);
    await work(clients, { record, file: keptAt(clients, file, signal), identities }, scope);
  });
}

function identityOf({ identity }: Pick<CheckpointReadOptions, 'identity'>): string[] {
  return identity === undefined ? [] : ['--identity', identity];
}
