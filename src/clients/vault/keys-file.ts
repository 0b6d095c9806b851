/** The keys in a file of this machine, 0600. */
import { readFile, rename, stat } from 'node:fs/promises';
import { removeDurably, writeFileDurably } from '../../process/files.ts';
import type { Redactor } from '../redact.ts';
import { type KeyStore, registerKeys, parseKeys } from './keys.ts';

export function createKeyFile(path: string, redactor: Redactor): KeyStore {
  const attemptFile = `${path}.init-began`;
  return {
    path,
    read: async () => {
      try {
        return parseKeys(await readFile(path, 'utf8'), path, redactor);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    write: async (keys) => {
      registerKeys(keys, redactor);
      await writeFileDurably(path, `${JSON.stringify(keys, undefined, 2)}\n`);
    },
    putAside: async () => {
      const aside = `${path}.${new Date().toISOString().replaceAll(/[:.]/g, '-')}.old`;
      await rename(path, aside);
      return aside;
    },
    attempt: {
      path: attemptFile,
      begin: (cluster) =>
        writeFileDurably(attemptFile, `${JSON.stringify({ cluster, at: new Date().toISOString() })}\n`),
      began: () =>
        stat(attemptFile).then(
          () => true,
          () => false,
        ),
      end: () => removeDurably(attemptFile),
    },
  };
}
