/** `ananta backup verify`: the backup alone is read. */
import type { BackupManifest } from '../../contract/backup.ts';
import { AnantaError } from '../../contract/errors.ts';
import { readIdentities } from '../../effects/backup/age.ts';
import { DamagedBackupError, readArchive } from '../../effects/backup/archive.ts';
import { keptAt } from '../../effects/backup/place/index.ts';
import { type KeptSource, sourceOf } from '../../effects/backup/place/source.ts';
import { checkSnapshot } from '../../effects/backup/vault.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import type { VerifyOptions } from './options.ts';
import { manifestLines } from './words.ts';

/** @throws DamagedBackupError, IdentityError */
export async function verifyBackup(context: CliContext, file: string, options: VerifyOptions): Promise<void> {
  const identities = await readIdentities(options.identity);
  const manifest = await withBackup(context, file, options, (source) => verified(source, identities));
  printLines(
    context.terminal.stdout,
    options.json ? [JSON.stringify(manifest)] : [...manifestLines(manifest), '', `${file} is whole.`],
  );
}

/** @throws DamagedBackupError, IdentityError; what keeps it away where it cannot be read */
export async function verified(source: KeptSource, identities: readonly string[]): Promise<BackupManifest> {
  const { manifest } = await readArchive(source, identities);
  if (manifest.vault === undefined) return manifest;
  try {
    await readArchive(source, identities, async (snapshot) => {
      await checkSnapshot(snapshot);
    });
    return manifest;
  } catch (error) {
    // A bucket that is away says nothing of what is in it.
    if (error instanceof AnantaError) throw error;
    throw new DamagedBackupError(`${source.location}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A file is read as it is; an object of a bucket with what its environment names for it. */
async function withBackup<T>(
  context: CliContext,
  file: string,
  { env }: VerifyOptions,
  work: (source: KeptSource) => Promise<T>,
): Promise<T> {
  if (!file.startsWith('s3://')) return work(sourceOf(file));
  if (env === undefined)
    throw refused(
      `${file} lies in a bucket: name the environment whose bucket it is.`,
      commandLine('backup', 'verify', file, '--identity', 'FILE', '--env', 'NAME'),
    );
  const environment = await loadEnvironment(env, context.config);
  const { withLiveClients } = await import('../shared/clients.ts');
  return withLiveClients(context, environment, (clients, signal) => work(keptAt(clients, file, signal)));
}
