/** `ananta checkpoint create`. */
import { randomUUID } from 'node:crypto';
import { makeCheckpoint } from '../../effects/checkpoint/take.ts';
import { commandScope } from '../../effects/effect.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import { suggestion } from '../../suggest.ts';
import { shortened } from '../shared/arguments.ts';
import { refused } from '../shared/failure.ts';
import { bytesWord } from '../backup/words.ts';
import type { CliContext } from '../shared/context.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import { snapshotWords } from './list.ts';
import type { CheckpointCreateOptions } from './options.ts';

export async function createCheckpoint(
  context: CliContext,
  database: string,
  { env, json }: CheckpointCreateOptions,
): Promise<void> {
  const environment = await loadEnvironment(env, context.config);
  const known = (await loadPlatform(environment, context.config)).databases.map((one) => `${one.server}/${one.name}`);
  if (!known.includes(database))
    throw refused(
      `There is no database "${shortened(database)}" in the catalog${suggestion(database, known) || '.'}`,
      `Those that there are: ${known.join(', ')}`,
    );
  const { withLiveClients } = await import('../shared/clients.ts');
  const record = await withLiveClients(context, environment, (clients, signal) =>
    makeCheckpoint(
      clients,
      { database, before: [], run: `by-hand-${randomUUID()}`, by: context.config.requestedBy },
      commandScope(signal, (text) => printLines(context.terminal.stderr, [`  ${text}`])),
    ),
  );
  const { file, encrypted, seconds, left, snapshots } = record;
  printLines(
    context.terminal.stdout,
    json
      ? [JSON.stringify(record)]
      : snapshots !== undefined
        ? [
            `${database}: ${snapshotWords(snapshots)}, in ${seconds} s.`,
            ...(left === undefined ? [] : [left]),
            `${context.terminal.style('bold', 'Next:')} ${commandLine('checkpoint', 'verify', 'latest', '--env', env)}`,
          ]
        : file === undefined
          ? [`Nothing was dumped: the pods of ${record.server} are simulated, and nothing is in them.`]
          : [
              `${database}: ${file}, ${bytesWord(encrypted?.bytes ?? 0)}, in ${seconds} s.`,
              ...(left === undefined ? [] : [left]),
              `${context.terminal.style('bold', 'Next:')} ${commandLine('checkpoint', 'verify', 'latest', '--env', env, '--identity', 'FILE')}`,
            ],
  );
}
