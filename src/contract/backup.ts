/**
 * What a backup of the deployer's own state says about itself: Vault's snapshot and the records of `ananta-system`. It
 * holds no secret in clear.
 */
import { z } from 'zod';
import { clusterIdentitySchema } from './cluster.ts';

export const BACKUP_PARTS = ['vault', 'records'] as const;
export type BackupPart = (typeof BACKUP_PARTS)[number];

const sumSchema = z.object({ bytes: z.number().int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const recordEntrySchema = sumSchema.extend({
  kind: z.enum(['owner', 'version', 'drift', 'audit', 'checkpoint']),
  /** Of the ConfigMap. */
  name: z.string().min(1),
});
export type BackupRecordKind = z.infer<typeof recordEntrySchema>['kind'];

export const backedUpVaultSchema = z.object({
  /** Vault's own id: a Vault that was initialised anew has another one. */
  id: z.string().min(1),
  version: z.string(),
  /** Of all parts of the snapshot, one behind the other. */
  snapshot: sumSchema,
  /** Newest version of each path of the key-value store, by path: what was written since has a higher one. */
  paths: z.record(z.string(), z.number().int().nonnegative()),
  /** How many unseal keys open it. They are never part of a backup, unless each is encrypted to a person. */
  threshold: z.number().int().positive().optional(),
  /** The shares are in the backup, encrypted to these people. */
  encryptedFor: z.array(z.string()).optional(),
});
export type BackedUpVault = z.infer<typeof backedUpVaultSchema>;

export const backupManifestSchema = z.object({
  format: z.literal('ananta-backup/1'),
  environment: z.string().min(1),
  platform: z.string().min(1),
  cluster: clusterIdentitySchema,
  /** ISO 8601: when it began. */
  at: z.iso.datetime(),
  by: z.string(),
  records: z.array(recordEntrySchema).optional(),
  vault: backedUpVaultSchema.optional(),
  /** Why a part is not in it, by its name. */
  leftOut: z.partialRecord(z.enum(BACKUP_PARTS), z.string()).default({}),
});
export type BackupManifest = z.infer<typeof backupManifestSchema>;

/** Of the workflow that a schedule starts. */
export interface BackupInput {
  environment: string;
  clusterUid: string;
  /** Five fields. */
  cron: string;
  timeZone: string;
}

/** A ConfigMap as it is kept, without what the API server adds. */
export const keptObjectSchema = z.object({
  apiVersion: z.literal('v1'),
  kind: z.literal('ConfigMap'),
  immutable: z.boolean().optional(),
  metadata: z.object({
    name: z.string().min(1),
    namespace: z.string().min(1),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  data: z.record(z.string(), z.string()).default({}),
});
export type KeptObject = z.infer<typeof keptObjectSchema>;
