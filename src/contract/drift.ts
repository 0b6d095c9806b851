/** Drift: where the cluster differs from what was applied. Findings hold no secret values. */
import { z } from 'zod';
import type { Confirmation } from './operations/deploy.ts';

export const DRIFT_KINDS = [
  /** Was applied, is gone. */
  'missing',
  /** A field has another value. */
  'changed',
  /** A field or object that nobody of ours wrote. */
  'extra',
  /** As applied, but not working. */
  'unhealthy',
  'sealed',
  /** No right to look, or no answer: never repaired, never counted as clean. */
  'not-observable',
] as const;
export type DriftKind = (typeof DRIFT_KINDS)[number];

export const driftFindingSchema = z.object({
  /** Stable over runs: area, object and field. */
  key: z.string(),
  kind: z.enum(DRIFT_KINDS),
  /** `kubernetes`, `helm`, `vault`, `secret`, `namespace`, `job`, `content`. */
  area: z.string(),
  /** What it belongs to, where it belongs to one. */
  service: z.string().optional(),
  release: z.string().optional(),
  /** `Deployment apps/web`, `Vault policy ananta-api`. */
  object: z.string(),
  /** `spec.replicas`, `spec.template.spec.containers[name=app].env[name=X]`; absent: the object as a whole. */
  field: z.string().optional(),
  /** As text, cut at 200 characters; of secrets only a fingerprint. */
  was: z.string().optional(),
  is: z.string().optional(),
  /** Who changed it, and when (ISO 8601), as far as the API server knows. */
  by: z.string().optional(),
  at: z.string().optional(),
  /** Digest over what is there now: an acceptance is bound to it. */
  valueDigest: z.string(),
  /** What a repair would do; absent: only a person can. */
  repair: z.enum(['release', 'field', 'secret', 'vault', 'namespace', 'job', 'unseal']).optional(),
  /** For people: why it is not repaired, what to do. */
  note: z.string().optional(),
});
export type DriftFinding = z.infer<typeof driftFindingSchema>;

export const driftReportSchema = z.object({
  environment: z.string(),
  /** ISO 8601. */
  at: z.string(),
  seconds: z.number(),
  findings: z.array(driftFindingSchema),
  /** Findings that were left out here because there are so many; absent: none. */
  omitted: z.number().int().optional(),
  /** Findings that an acceptance or an ignore rule took out. */
  accepted: z.number().int(),
  ignored: z.number().int(),
  /** Objects and fields compared. */
  checked: z.object({
    objects: z.number().int(),
    releases: z.number().int(),
    vault: z.number().int(),
    secrets: z.number().int(),
  }),
  /** What simulated pods cannot show: one line; empty when everything is real. */
  simulated: z.string(),
});
export type DriftReport = z.infer<typeof driftReportSchema>;

export const DRIFT_MODES = ['repair', 'report', 'off'] as const;
export type DriftMode = (typeof DRIFT_MODES)[number];

export interface DriftInput {
  environment: string;
  clusterUid: string;
  mode: Exclude<DriftMode, 'off'>;
  /** `user@host` where a person started it; absent: the schedule did. */
  requestedBy?: string;
  /** Digest of what a repair was said to touch, where a person was shown it: anything else is left alone. */
  expectedDigest?: string;
  /** Only looks, for a person who sees the result before a repair: nothing is recorded or sent. */
  preview?: true;
  /** For a repair of a protected environment whose file does not ask for repairs. */
  confirmation?: Confirmation;
  /** Why a repair is made although the environment is frozen. */
  freezeOverride?: string;
  /** Proves who says so. */
  freezeAttestation?: string;
}

/**
 * `clean`: no findings. `repaired`: all that was found is as it was again. `drifted`: something is left. `skipped`: an
 * operation held the lock.
 */
export type DriftOutcome = 'clean' | 'drifted' | 'repaired' | 'skipped' | 'failed';

export interface DriftResult {
  environment: string;
  outcome: DriftOutcome;
  /** One line: why skipped, what failed. */
  reason?: string;
  /** As found, before any repair. */
  report?: DriftReport;
  /** Keys that were repaired. */
  repaired: string[];
  /** Keys that flap: repaired so often that a person has to look. */
  flapping: string[];
  /** What is left after the repair. */
  remaining?: DriftFinding[];
  /** Over what a repair would touch. */
  repairDigest?: string;
}
