/** `ananta backup list`: names and sizes, nothing is opened. */
import { resolve } from 'node:path';
import { loadEnvironment } from '../../environment/load.ts';
import { folderPlace, placeFor } from '../../effects/backup/place/index.ts';
import { backupMoment, backupsAmong } from '../../plan/backup/names.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine, count, table } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import type { ListOptions } from './options.ts';
import { bytesWord } from './words.ts';

export async function listBackups({ config, terminal }: CliContext, options: ListOptions): Promise<void> {
  const environment = await loadEnvironment(options.env, config);
  const place =
    options.in === undefined ? placeFor({ environment, config }, 'backup') : folderPlace(resolve(options.in));
  if (place === undefined)
    throw refused(`"${environment.name}" names no place for backups (backup.to).`, 'Name a folder: --in FOLDER');
  const kept = await place.list().catch((error: unknown) => {
    throw refused(`${place.where} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`);
  });
  const byName = new Map(kept.map((file) => [file.name, file]));
  const backups = backupsAmong(environment.name, [...byName.keys()]).map((name) => ({
    file: place.locationOf(name),
    at: backupMoment(environment.name, name) ?? '',
    bytes: byName.get(name)?.bytes ?? 0,
  }));
  printLines(
    terminal.stdout,
    options.json
      ? [JSON.stringify(backups)]
      : backups.length === 0
        ? [
            `No backup of ${environment.name} in ${place.where}.`,
            '',
            `Next: ${commandLine('backup', '--env', options.env)}`,
          ]
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
