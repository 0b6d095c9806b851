/** What an environment says about backups of the deployer's own state. */
import { z } from 'zod';
import { filePath } from './addresses.ts';
import { objectName } from './kubernetes-names.ts';
import { cronExpression, timeZone } from './schedule.ts';
import { refuseRepetitions } from './texts.ts';

/** Public key of age (X25519), as `age-keygen` prints it. */
export const recipient = z
  .string()
  .regex(
    /^age1[02-9ac-hj-np-z]{58}$/,
    'has to be a public key of age, age1 and 58 characters: npm run ananta -- backup key makes one',
  );

const cron = cronExpression('30 2 * * *');

export const backupSchema = z
  .strictObject({
    recipients: z
      .array(recipient)
      .min(1)
      .superRefine(refuseRepetitions)
      .describe(
        'Public keys of age: whoever has the private key of one of them can read the backups, and nobody else. No secret; workers and commands need no more than these',
      ),
    to: filePath
      .optional()
      .describe(
        'Folder for backups, as the worker sees it, best on a volume that survives the cluster; needed with cron',
      ),
    claim: objectName('a PersistentVolumeClaim')
      .optional()
      .describe(
        'Claim in the namespace ananta-deployer that workers in the cluster have at `to`, made by you: for several workers it has to be one that many pods can write to',
      ),
    cron: cron.optional().describe('When a worker makes one by itself, as in "30 2 * * *"; absent: never'),
    timeZone: timeZone.default('UTC').describe('Of cron'),
    keep: z
      .number()
      .int()
      .min(1)
      .max(1000)
      .default(14)
      .describe('Backups of this environment that are kept in the folder: older ones go when a new one is whole'),
  })
  .superRefine(({ cron: when, to, claim }, context) => {
    if (claim !== undefined && to?.startsWith('/') !== true)
      context.addIssue({ code: 'custom', path: ['to'], message: 'has to be an absolute path: claim is mounted there' });
    if (when !== undefined && to === undefined)
      context.addIssue({ code: 'custom', path: ['to'], message: 'is missing: cron needs a folder to write to' });
  })
  .describe(
    "Backups of what the deployer itself needs: Vault's snapshot, versions, accepted drift, whose cluster it is",
  );

export type BackupSettings = z.infer<typeof backupSchema>;
