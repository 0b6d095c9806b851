/** The state of a database as it was before something that cannot be taken back. Its record in the cluster; no data. */
import { z } from 'zod';

const sumSchema = z.object({ bytes: z.number().int().nonnegative(), sha256: z.string() });

const keptSnapshotSchema = z.object({
  namespace: z.string(),
  /** Of the VolumeSnapshot. */
  name: z.string(),
  uid: z.string(),
  /** That it is of. */
  claim: z.string(),
  /** As its driver says: `10Gi`. */
  size: z.string().optional(),
});
export type KeptSnapshot = z.infer<typeof keptSnapshotSchema>;

export const checkpointRecordSchema = z.object({
  environment: z.string(),
  /** ISO 8601: when it began. */
  at: z.string(),
  /** Run of the operation, or `by-hand-…`. */
  run: z.string(),
  by: z.string(),
  /** Service that runs the server, and the database on it. */
  server: z.string(),
  database: z.string(),
  /** Migrations that it was taken for. */
  before: z.array(z.string()).default([]),
  /** Where it lies, as whoever took it saw it; absent where the pods are simulated, and there is nothing in them. */
  file: z.string().optional(),
  /** Who reaches it there: a machine, a claim; absent in records of earlier versions. */
  keeper: z.string().optional(),
  /** Of the server's volumes, in place of a file. */
  snapshots: z.array(keptSnapshotSchema).optional(),
  /** Of the encrypted file, and of the dump in it. */
  encrypted: sumSchema.optional(),
  dump: sumSchema.optional(),
  seconds: z.number(),
});
export type CheckpointRecord = z.infer<typeof checkpointRecordSchema>;

/**
 * An attempt that has begun to write a file. It goes when the file is on record; one that stays names a file that
 * nobody will ever use.
 */
export const checkpointAttemptSchema = z.object({
  environment: z.string(),
  /** ISO 8601: when it began. */
  at: z.string(),
  file: z.string(),
  keeper: z.string(),
});
export type CheckpointAttempt = z.infer<typeof checkpointAttemptSchema>;
