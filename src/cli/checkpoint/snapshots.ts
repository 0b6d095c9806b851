/** Checkpoints that are snapshots of volumes: looked at, and made claims of. */
import type { Clients } from '../../clients/index.ts';
import type { StoredCheckpoint } from '../../effects/checkpoint/record.ts';
import { claimsFrom, isReady, snapshotOf } from '../../effects/checkpoint/snapshot.ts';
import { onRecord } from '../../effects/records/on-record.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import { idOf, snapshotWords } from './list.ts';

type Looking = Pick<Clients, 'kubernetes' | 'environment' | 'connections' | 'config'>;

/** @throws CliError (refused) where one is gone, or is another one by now */
export async function verifySnapshots(
  { terminal }: Pick<CliContext, 'terminal'>,
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  record: StoredCheckpoint,
  json: true | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { snapshots = [] } = record;
  const found = await Promise.all(snapshots.map((one) => snapshotOf(kubernetes, one, signal)));
  const wrong = snapshots.filter((_, index) => {
    const seen = found[index];
    return seen === undefined || !isReady(seen);
  });
  if (wrong.length > 0) throw refused(`Not there any more, or not ready: ${snapshotWords(wrong)}.`);
  printLines(
    terminal.stdout,
    json
      ? [JSON.stringify({ id: idOf(record), database: `${record.server}/${record.database}`, snapshots })]
      : [`${snapshotWords(snapshots)}: there and ready. What is in them shows only when a claim is made from them.`],
  );
}

/** Beside the live claims, which are not touched. */
export async function claimsFromSnapshots(
  { terminal }: Pick<CliContext, 'terminal'>,
  clients: Looking,
  record: StoredCheckpoint,
  json: true | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { name } = clients.environment;
  const clusterUid = await clients.kubernetes.clusterUid(signal);
  const id = idOf(record);
  const claims = await onRecord(
    clients,
    { environment: name, clusterUid, operation: 'checkpoint restore', digest: id },
    () => claimsFrom(clients, record, `restored-${id}`, signal),
  );
  printLines(
    terminal.stdout,
    json
      ? [JSON.stringify({ id, changed: true, claims })]
      : [
          `Made from the snapshots of ${record.at}: ${claims.join(', ')}. The live claims of ${record.server} are as they were.`,
          'A pod that mounts the new one reads what was there then: start a server of your own on it, and take out what is needed; or, with',
          `the StatefulSet of ${record.server} scaled to 0, put its volume in the place of the live one (docs/do/history-and-rollback.md).`,
          `${terminal.style('bold', 'Next:')} ${commandLine('rollback', '--env', name, '--past-no-return')}   (the releases that fit it)`,
        ],
  );
}
