import type { OperationInput } from './deploy.ts';

export interface AdoptInput extends OperationInput {
  /** Absent: `services` says it. */
  service?: string;
  /** Several at once, in the order in which they are taken over. */
  services?: string[];
  /** What was taken over is given back. */
  undo?: true;
  /** Digest of what was shown to whoever confirmed it: anything else is refused. */
  expectedDigest: string;
}

/** A release that somebody else has made in the place of one of ours, as it is taken over. Holds no secrets. */
export interface AdoptedRelease {
  namespace: string;
  name: string;
  revision: number;
  /** Of the Secret that holds Helm's record. */
  uid: string;
  /** In whose name its record was written. */
  by?: string;
  /** Whose it is now: one sentence. */
  text: string;
  /** `Deployment api` */
  objects: string[];
  /** Names of its claims; they are marked to be kept. */
  claims: string[];
  /** Names of the Secrets that its chart makes; they are marked to be kept, too. */
  secrets?: string[];
}
