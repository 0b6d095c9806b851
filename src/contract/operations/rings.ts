/** Rings: environments that get a deployment one group after the other. Messages between CLI and workflow. */
import type { Confirmation, DeployInput } from './deploy.ts';

export interface RingTarget {
  environment: string;
  clusterUid: string;
  /** Needed where the environment is protected. */
  confirmation?: Confirmation;
  /** Digest of the plan that somebody was shown: anything else is refused. */
  expectedDigest?: string;
}

export interface RingSoak {
  /** How long a ring has to stay well before the next one begins; 0: not at all. */
  seconds: number;
  /** How often it is looked at in that time. */
  looks: number;
}

export interface PlannedRing {
  name: string;
  targets: RingTarget[];
  soak: RingSoak;
  /** `rollback`: what this ring's deployments have changed is taken back. */
  onFailure: 'halt' | 'rollback';
}

export interface RingsInput {
  name: string;
  /** `user@host`. */
  requestedBy: string;
  imageTags: DeployInput['imageTags'];
  rings: PlannedRing[];
}

export type RingTargetState =
  | 'waiting'
  /** Somebody else holds the lock of the environment. */
  | 'queued'
  | 'deploying'
  | 'deployed'
  | 'failed'
  | 'cancelled'
  | 'taking back'
  | 'taken back'
  /** What it was could not be brought back: a person has to look. */
  | 'not taken back';

export interface RingTargetView {
  environment: string;
  state: RingTargetState;
  /** One line, no secrets. */
  detail?: string;
  workflowId?: string;
  runId?: string;
  /** Whether the deployment changed anything: only then there is something to take back. */
  changed?: boolean;
  /** Platform version that it left. */
  version?: number;
}

export interface RingView {
  name: string;
  state: 'waiting' | 'deploying' | 'soaking' | 'passed' | 'failed' | 'not started';
  /** While it soaks: when that ends, milliseconds since the epoch. */
  soaksUntil?: number;
  /** Looks that it has passed. */
  looks: number;
  targets: RingTargetView[];
  /** Why it failed: one line each. */
  reasons: string[];
}

/** Answer to the query `rings`, and the result. */
export interface RingsView {
  name: string;
  requestedBy: string;
  outcome: 'running' | 'succeeded' | 'failed' | 'cancelled';
  rings: RingView[];
}
