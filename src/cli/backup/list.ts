/** `ananta backup list`: names and sizes, nothing is opened. */
import { join, resolve } from 'node:path';
import { loadEnvironment } from '../../environment/load.ts';
import { folderPlace, type KeptFile, placeFor } from '../../effects/backup/place/index.ts';
import type { Environment } from '../../environment/schema.ts';
import { backupMoment, backupsAmong } from '../../plan/backup/names.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine, count, table } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import type { ListOptions } from './options.ts';
import { bytesWord } from './words.ts';

export async function listBackups(context: CliContext, options: ListOptions): Promise<void> {
  const { config, terminal } = context;
  const environment = await loadEnvironment(options.env, config);
  const folder = options.in ?? environment.backup?.to;
  if (folder === undefined)
    throw refused(`"${environment.name}" names no place for backups (backup.to).`, 'Name a folder: --in FOLDER');
  const { where, kept } =
    typeof folder === 'string'
      ? await inFolder(resolve(options.in === undefined ? config.repoRoot : '.', folder))
      : await inBucket(context, environment);
  const byName = new Map(kept.map((file) => [file.name, file]));
  const backups = backupsAmong(environment.name, [...byName.keys()]).map((name) => ({
    file: locationIn(where, name),
    at: backupMoment(environment.name, name) ?? '',
    bytes: byName.get(name)?.bytes ?? 0,
  }));
  printLines(
    terminal.stdout,
    options.json
      ? [JSON.stringify(backups)]
      : backups.length === 0
        ? [`No backup of ${environment.name} in ${where}.`, '', `Next: ${commandLine('backup', '--env', options.env)}`]
        : [
            ...table([
              ['Made (UTC)', 'Size', 'File'],
              ...backups.map(({ at, bytes, file }) => [at.slice(0, 19).replace('T', ' '), bytesWord(bytes), file]),
            ]),
            '',
            `${count(backups.length, 'backup')} of ${environment.name}.`,
          ],
  );
}

interface Found {
  /** With a slash at its end, or a folder without. */
  where: string;
  kept: KeptFile[];
}

/** Nobody is asked but the file system. */
async function inFolder(folder: string): Promise<Found> {
  const kept = await folderPlace(folder)
    .list()
    .catch((error: unknown) => {
      throw refused(`${folder} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`);
    });
  return { where: folder, kept };
}

/** Its keys may lie in the cluster. */
async function inBucket(context: CliContext, environment: Environment): Promise<Found> {
  const { withLiveClients } = await import('../shared/clients.ts');
  return withLiveClients(context, environment, async (clients, signal) => {
    const place = placeFor(clients, 'backup');
    return { where: place?.where ?? '', kept: (await place?.list(signal)) ?? [] };
  });
}

function locationIn(where: string, name: string): string {
  return where.endsWith('/') ? `${where}${name}` : join(where, name);
}
