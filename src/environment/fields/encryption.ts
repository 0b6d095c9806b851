/** What an environment says about its histories on the engine: whether they are encrypted, and where the keys are. */
import { z } from 'zod';
import { filePath } from './formats/addresses.ts';
import { program } from './formats/texts.ts';

/** In this order of life: first all read what is encrypted, then all write it; and back the same way. */
const ENCRYPTION_MODES = ['encrypt', 'decrypt'] as const;

export const encryptionSchema = z.strictObject({
  keysFile: filePath
    .optional()
    .describe(
      "File with the keys, made by: npm run ananta -- codec rotate; default: history-keys.json in the environment's state folder. Workers and commands need the same one",
    ),
  keysCommand: program
    .optional()
    .describe(
      'Program with arguments that prints what the file would hold, from a Vault or a KMS that is not the platform\'s own, as in ["sops", "decrypt", "keys.enc.json"]',
    ),
  mode: z
    .enum(ENCRYPTION_MODES)
    .default('encrypt')
    .describe(
      'encrypt: what is written is encrypted; decrypt: it is plain again, and what was encrypted is still read',
    ),
});

export type Encryption = z.infer<typeof encryptionSchema>;
