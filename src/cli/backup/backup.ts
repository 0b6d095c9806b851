/** `ananta backup`: in this process, whether or not an engine runs. */
import { resolve } from 'node:path';
import { makeBackup } from '../../effects/backup/backup.ts';
import { placeFor } from '../../effects/backup/place/index.ts';
import { type Pruned, pruneBackups } from '../../effects/backup/prune.ts';
import { recipient as recipientSchema } from '../../environment/fields/backup/backup.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import type { BackupOptions } from './options.ts';
import { bytesWord, manifestLines } from './words.ts';

export async function runBackup(context: CliContext, options: BackupOptions): Promise<void> {
  const { config, terminal } = context;
  const environment = await loadEnvironment(options.env, config);
  const { backup } = environment;
  const recipients = options.recipient ?? backup?.recipients ?? [];
  const wrong = recipients.find((one) => !recipientSchema.safeParse(one).success);
  if (wrong !== undefined) throw refused(`--recipient ${wrong.slice(0, 80)} is no public key of age (age1…).`);
  if (recipients.length === 0)
    throw refused(
      `"${environment.name}" says for whom its backups are encrypted nowhere (backup.recipients), and a backup is never plain.`,
      `${commandLine('backup', 'key', '--out', 'backup-key.txt')}   (makes a pair, and prints the lines for environments/${environment.name}.yaml)`,
    );
  if (options.to === undefined && backup?.to === undefined)
    throw refused(
      `"${environment.name}" names no place for backups (backup.to).`,
      'Name a file or a folder: --to FILE',
    );
  const { withLiveClients } = await import('../shared/clients.ts');
  const started = Date.now();
  const { done, pruned, left } = await withLiveClients(context, environment, async (clients, signal) => {
    const own = options.to === undefined ? placeFor(clients, 'backup') : undefined;
    const made = await makeBackup(
      clients,
      {
        recipients,
        to: own ?? fileOrFolder(options.to ?? ''),
        only: options.part,
        by: config.requestedBy,
        at: new Date(started),
      },
      signal,
    );
    const gone: Pruned =
      own !== undefined && backup !== undefined
        ? await pruneBackups(own, environment.name, backup.keep, signal)
        : { pruned: [] };
    return { done: made, ...gone };
  });
  const seconds = (Date.now() - started) / 1000;
  const { path, bytes, sha256, manifest } = done;
  printLines(
    terminal.stdout,
    options.json
      ? [JSON.stringify({ file: path, bytes, sha256, seconds, pruned, left, manifest })]
      : [
          ...manifestLines(manifest),
          '',
          `Written: ${path}, ${bytesWord(bytes)}, sha256 ${sha256}, in ${seconds.toFixed(1)} s.`,
          ...(pruned.length > 0
            ? [`Older ones that went (backup.keep: ${backup?.keep ?? ''}): ${pruned.join(', ')}`]
            : []),
          ...(left === undefined ? [] : [left]),
          ...(manifest.vault !== undefined && manifest.vault.encryptedFor === undefined
            ? ['The unseal keys of Vault are not in it: keep a copy of them elsewhere.']
            : []),
          `${terminal.style('bold', 'Next:')} ${commandLine('backup', 'verify', path, '--identity', 'FILE')}`,
        ],
  );
}

/** A slash at its end says that it is a folder, which may not be there yet. */
function fileOrFolder(to: string): string {
  return to.endsWith('/') ? to : resolve(to);
}
