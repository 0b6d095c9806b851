/**
 * Keys on their way into the cluster. Vault gives them once, so they are on this machine's disk (0600 in a 0700 folder)
 * before the API server is asked to keep them, and go when it has: it may be away in that moment, or this process die.
 */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { privateFolder, removeDurably, writeFileDurably } from '../../process/files.ts';
import type { Redactor } from '../redact.ts';
import { parseKeys, type VaultKeys } from './keys.ts';

export interface KeySpool {
  /** For messages: machine and file. */
  place: string;
  /** @returns whether anything could be kept */
  put(keys: VaultKeys): Promise<boolean>;
  read(): Promise<VaultKeys | undefined>;
  remove(): Promise<void>;
}

/** @param plaintext whether keys may be stored there unencrypted; where not, only encrypted ones are */
export function createKeySpool(folder: string, redactor: Redactor, { plaintext }: { plaintext: boolean }): KeySpool {
  const file = join(folder, 'vault-keys.on-their-way.json');
  return {
    place: `${file} on ${hostname()}`,
    put: async (keys) => {
      const kept = plaintext ? keys : withoutPlaintext(keys);
      if (kept === undefined) return false;
      await privateFolder(dirname(file));
      await writeFileDurably(file, `${JSON.stringify(kept)}\n`);
      return true;
    },
    read: async () => {
      try {
        return parseKeys(await readFile(file, 'utf8'), file, redactor);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    remove: () => removeDurably(file),
  };
}

/** A root token can be made anew by those who own the shares. */
function withoutPlaintext({ rootToken: _root, ...keys }: VaultKeys): VaultKeys | undefined {
  return keys.encryptedFor === undefined ? undefined : keys;
}
