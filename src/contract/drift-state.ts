/** The record of drift between two runs. Kept in the target cluster, without secrets. */
import { z } from 'zod';

export const DRIFT_OUTCOMES = ['clean', 'drifted', 'repaired', 'skipped', 'failed'] as const;

export const acceptanceSchema = z.object({
  key: z.string(),
  /** Of the value that was accepted: another one is drift again. */
  valueDigest: z.string(),
  /** What it belongs to, in words: `Deployment apps/web spec.replicas`. */
  what: z.string(),
  /** The accepted value as text; of secrets only a fingerprint. */
  is: z.string().optional(),
  reason: z.string(),
  /** `user@host`. */
  by: z.string(),
  /** ISO 8601. */
  at: z.string(),
});
export type Acceptance = z.infer<typeof acceptanceSchema>;

export const driftRunSchema = z.object({
  /** ISO 8601: its end. */
  at: z.string(),
  workflowId: z.string(),
  runId: z.string(),
  outcome: z.enum(DRIFT_OUTCOMES),
  findings: z.number().int(),
  repaired: z.number().int(),
  flapping: z.number().int(),
  seconds: z.number(),
  /** One line: why it was skipped, what failed. */
  reason: z.string().optional(),
});
export type DriftRun = z.infer<typeof driftRunSchema>;

export const driftStateSchema = z.object({
  acceptances: z.array(acceptanceSchema).default([]),
  /**
   * Key of a finding to the times (ISO 8601) at which it was repaired, oldest first, within the environment's
   * flapWindowSeconds.
   */
  repairs: z.record(z.string(), z.array(z.string())).default({}),
  /** Newest first. */
  runs: z.array(driftRunSchema).default([]),
  /** Digest of the findings that were reported last; absent after a clean run. */
  notified: z.string().optional(),
  /** The run that has sent them. */
  notifiedBy: z.string().optional(),
});
export type DriftState = z.infer<typeof driftStateSchema>;
