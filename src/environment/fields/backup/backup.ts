/** What an environment says about backups of the deployer's own state. */
import { z } from 'zod';
import { filePath } from '../formats/addresses.ts';
import { objectName } from '../formats/kubernetes-names.ts';
import { cronExpression, timeZone } from '../formats/schedule.ts';
import { refuseRepetitions } from '../formats/texts.ts';
import { bucketSchema } from './bucket.ts';

/** Public key of age (X25519), as `age-keygen` prints it. */
export const recipient = z
  .string()
  .regex(
    /^age1[02-9ac-hj-np-z]{58}$/,
    'has to be a public key of age, age1 and 58 characters: npm run ananta -- backup key makes one',
  );

const cron = cronExpression('30 2 * * *');

/** A folder, or a bucket. */
const placeSchema = z.union([filePath, bucketSchema]);
export type BackupPlaceSettings = z.infer<typeof placeSchema>;

const keepSchema = z.number().int().min(1).max(1000);

export const backupSchema = z
  .strictObject({
    recipients: z
      .array(recipient)
      .min(1)
      .superRefine(refuseRepetitions)
      .describe(
        'Public keys of age: whoever has the private key of one of them can read the backups, and nobody else. No secret; workers and commands need no more than these',
      ),
    to: placeSchema
      .optional()
      .describe(
        'Where backups go to, best what survives the cluster: a folder as the worker sees it, or a bucket; needed with cron',
      ),
    claim: objectName('a PersistentVolumeClaim')
      .optional()
      .describe(
        'Claim in the namespace ananta-deployer that workers in the cluster have at `to`, made by you: for several workers it has to be one that many pods can write to',
      ),
    cron: cron.optional().describe('When a worker makes one by itself, as in "30 2 * * *"; absent: never'),
    timeZone: timeZone.default('UTC').describe('Of cron'),
    keep: keepSchema
      .default(14)
      .describe('Backups of this environment that are kept there: older ones go when a new one is whole'),
  })
  .superRefine(({ cron: when, to, claim }, context) => {
    if (claim !== undefined && typeof to === 'object')
      context.addIssue({ code: 'custom', path: ['claim'], message: 'goes with a folder: a bucket needs none' });
    else if (claim !== undefined && !(typeof to === 'string' && to.startsWith('/')))
      context.addIssue({ code: 'custom', path: ['to'], message: 'has to be an absolute path: claim is mounted there' });
    if (when !== undefined && to === undefined)
      context.addIssue({ code: 'custom', path: ['to'], message: 'is missing: cron needs a place to write to' });
  })
  .describe(
    "Backups of what the deployer itself needs: Vault's snapshot, versions, accepted drift, whose cluster it is",
  );

export type BackupSettings = z.infer<typeof backupSchema>;

export const checkpointsSchema = z
  .strictObject({
    to: placeSchema.optional().describe('Where checkpoints go to: a folder or a bucket; absent: where backups go'),
    snapshotClass: objectName('a VolumeSnapshotClass')
      .optional()
      .describe('Of checkpoints that are snapshots of volumes; absent: the default class of the driver'),
    keep: keepSchema.optional().describe('Checkpoints of each database that are kept; absent: as many as backups'),
  })
  .describe('Databases that are kept before migrations that cannot be taken back; encrypted for backup.recipients');
export type CheckpointSettings = z.infer<typeof checkpointsSchema>;
