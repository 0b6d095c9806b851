/** A value of the catalog: a Vault path below `secret/`, and a key of it. */
export interface SecretName {
  path: string;
  key: string;
}

/** What is done about one secret, in this order. */
export const ROTATION_ACTS = ['add', 'write', 'verify', 'revoke'] as const;
export type RotationAct = (typeof ROTATION_ACTS)[number];

/** What is to be rotated. */
export interface RotateSelection {
  /** Those named; without a key all of the path that can be rotated. Absent: every one that can be. */
  secrets?: { path: string; key?: string }[];
  /** Of those, the ones that are older. */
  olderThanSeconds?: number;
}

/** What the schedule of rotations starts: with its times, since the engine gives cron expressions back otherwise. */
export interface RotationScheduleInput extends RotateSelection {
  environment: string;
  clusterUid: string;
  cron: string;
  timeZone: string;
}
