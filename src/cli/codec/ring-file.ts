/** The key ring of an environment, as the commands read and write it. */
import type { KeyRing } from '../../clients/temporal/encryption/ring.ts';
import { readRing } from '../../clients/temporal/encryption/source.ts';
import type { Config } from '../../config.ts';
import { type EncryptionConnection, encryptionOf } from '../../environment/connections.ts';
import type { Environment } from '../../environment/schema.ts';
import { removeDurably, writeFileDurably } from '../../process/files.ts';
import { readText } from '../../../bootstrap/process/files.ts';
import { refused } from '../shared/failure.ts';

/** @throws CliError (refused) where the environment's file says nothing of encryption */
export function requireEncryption(environment: Environment, config: Config): EncryptionConnection {
  const found = encryptionOf(environment, config);
  if (found !== undefined) return found;
  throw refused(
    `The histories of "${environment.name}" are plain: environments/${environment.name}.yaml says nothing of encryption.`,
    `encryption: {}   (in environments/${environment.name}.yaml; docs/look-up/encryption.md)`,
  );
}

/** @returns undefined where no key was ever made. @throws HistoryKeysError for one that cannot be read */
export async function existingRing(encryption: EncryptionConnection): Promise<KeyRing | undefined> {
  if (encryption.keysCommand === undefined && (await readText(encryption.keysFile)) === undefined) return undefined;
  return readRing(encryption);
}

/**
 * To the environment's own file, or, where a program prints the keys, to a file that its owner then puts where that
 * program looks. @returns the file. @throws CliError (refused) where that is not said
 */
export async function writeRing(encryption: EncryptionConnection, ring: KeyRing, out?: string): Promise<string> {
  const file = ringTarget(encryption, out);
  // Without any key there is no file: the next `codec rotate` makes the first one.
  if (ring.keys.length === 0 && out === undefined) await removeDurably(file);
  else await writeFileDurably(file, `${JSON.stringify(ring, undefined, 2)}\n`);
  return file;
}

/** @throws CliError (refused) */
export function ringTarget({ environment, keysFile, keysCommand }: EncryptionConnection, out?: string): string {
  if (keysCommand === undefined && out !== undefined)
    throw refused(`The keys of "${environment}" are in ${keysFile}: --out is for those that a program prints.`);
  if (keysCommand !== undefined && out === undefined)
    throw refused(
      `The keys of "${environment}" come from a program (encryption.keysCommand), which this command cannot give new ones.`,
      '--out FILE   (all keys are written there, for you to put where the program looks)',
    );
  return out ?? keysFile;
}
