/** The unseal keys and, only until the bootstrap is done, the root token: one file, 0600, never half written. */
import { readFile, rename, stat } from 'node:fs/promises';
import { z } from 'zod';
import { removeDurably, writeFileDurably } from '../../process/files.ts';
import type { Redactor } from '../redact.ts';

const keysSchema = z.strictObject({
  version: z.literal(1),
  /** kube-system's uid of the cluster in which this Vault runs. */
  cluster: z.string(),
  initializedAt: z.string(),
  threshold: z.number().int().positive(),
  /** Base64, as Vault gives and takes them. */
  keys: z.array(z.string().min(1)).min(1),
  rootToken: z.string().min(1).optional(),
});
export type VaultKeys = z.infer<typeof keysSchema>;

export interface KeyStore {
  /** For messages. */
  path: string;
  /** @returns undefined when there is no file. @throws Error when it is damaged */
  read(): Promise<VaultKeys | undefined>;
  /** Returns only when the keys would survive a power cut. */
  write(keys: VaultKeys): Promise<void>;
  /** Keys of a Vault that no longer exists are put aside, not deleted: a backup may need them. */
  putAside(): Promise<string>;
  /** A note, made before Vault is initialised and removed after its keys are kept. */
  attempt: { begin(cluster: string): Promise<void>; began(): Promise<boolean>; end(): Promise<void> };
}

export function createKeyStore(path: string, redactor: Redactor): KeyStore {
  const attemptFile = `${path}.init-began`;
  return {
    path,
    read: async () => {
      let text: string;
      try {
        text = await readFile(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
      const parsed = keysSchema.safeParse(tryJson(text));
      // The content is secret, so what exactly is wrong with it is not repeated.
      if (!parsed.success) throw new Error(`The file with Vault's unseal keys, ${path}, is damaged. Restore it from a backup.`);
      redactor.learn(...parsed.data.keys, parsed.data.rootToken);
      return parsed.data;
    },
    write: async (keys) => {
      redactor.learn(...keys.keys, keys.rootToken);
      await writeFileDurably(path, `${JSON.stringify(keys, undefined, 2)}\n`);
    },
    putAside: async () => {
      const aside = `${path}.${new Date().toISOString().replaceAll(/[:.]/g, '-')}.old`;
      await rename(path, aside);
      return aside;
    },
    attempt: {
      begin: (cluster) => writeFileDurably(attemptFile, `${JSON.stringify({ cluster, at: new Date().toISOString() })}\n`),
      began: () => stat(attemptFile).then(() => true, () => false),
      end: () => removeDurably(attemptFile),
    },
  };
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
