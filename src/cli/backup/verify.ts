/** `ananta backup verify`: the file alone is read. */
import { readIdentities } from '../../effects/backup/age.ts';
import { DamagedBackupError, readArchive } from '../../effects/backup/archive.ts';
import { checkSnapshot } from '../../effects/backup/vault.ts';
import type { CliContext } from '../shared/context.ts';
import { printLines } from '../shared/terminal.ts';
import type { VerifyOptions } from './options.ts';
import { manifestLines } from './words.ts';

/** @throws DamagedBackupError, IdentityError */
export async function verifyBackup(
  { terminal }: CliContext,
  file: string,
  { identity, json }: VerifyOptions,
): Promise<void> {
  const identities = await readIdentities(identity);
  const { manifest } = await readArchive(file, identities);
  if (manifest.vault !== undefined) {
    try {
      await readArchive(file, identities, async (snapshot) => {
        await checkSnapshot(snapshot);
      });
    } catch (error) {
      throw new DamagedBackupError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  printLines(
    terminal.stdout,
    json ? [JSON.stringify(manifest)] : [...manifestLines(manifest), '', `${file} is whole.`],
  );
}
