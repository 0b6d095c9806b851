/** `ananta backup list`: names and sizes, nothing is opened. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { loadEnvironment } from '../../environment/load.ts';
import { backupFolder } from '../../effects/backup/folder.ts';
import { backupMoment, backupsAmong } from '../../plan/backup/names.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine, count, table } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import type { ListOptions } from './options.ts';
import { bytesWord } from './words.ts';

export async function listBackups({ config, terminal }: CliContext, options: ListOptions): Promise<void> {
  const environment = await loadEnvironment(options.env, config);
  const folder = options.in ?? backupFolder(environment, config.repoRoot);
  if (folder === undefined)
    throw refused(`"${environment.name}" names no folder for backups (backup.to).`, 'Name one: --in FOLDER');
  const names = await readdir(folder).catch((error: unknown) => {
    throw refused(`${folder} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)}).`);
  });
  const backups = await Promise.all(
    backupsAmong(environment.name, names).map(async (name) => ({
      file: join(folder, name),
      at: backupMoment(environment.name, name) ?? '',
      bytes: (await stat(join(folder, name))).size,
    })),
  );
  printLines(
    terminal.stdout,
    options.json
      ? [JSON.stringify(backups)]
      : backups.length === 0
        ? [`No backup of ${environment.name} in ${folder}.`, '', `Next: ${commandLine('backup', '--env', options.env)}`]
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
