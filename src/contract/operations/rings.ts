/** Rings: environments that get a deployment one group after the other. Messages between CLI and workflow. */
import type { Confirmation, DeployInput } from './deploy.ts';

export interface RingTarget {
  environment: string;
  clusterUid: string;
  /** Needed where the environment is protected. */
  confirmation?: Confirmation;
  /** Digest of the plan that somebody was shown: anything else is refused. */
  expectedDigest?: string;
  /** Why its deployment goes on although the environment is frozen. */
  freezeOverride?: string;
  /** Proves who says so, as in the input of an operation. */
  freezeAttestation?: string;
  /** A gate of its environment asks who has asked: whoever starts the rings proves it, and that is waited for. */
  identifies?: true;
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

/** A state that was reached, and when. */
export interface Reached<State> {
  state: State;
  /** Milliseconds since the epoch. */
  at: number;
  /** Run of the operation that was at work from then on. */
  runId?: string;
}

export interface RingTargetView {
  environment: string;
  state: RingTargetState;
  /** In their order. Absent in runs of earlier versions. */
  states?: Reached<RingTargetState>[];
  /** Who has asked, as the API server of its cluster knows them; absent: nobody has proved it. */
  requester?: string;
  /** For whom or what its operation waits now: one line each. Read beside the view, and not part of its result. */
  held?: string[];
  /** One line, no secrets. */
  detail?: string;
  workflowId?: string;
  runId?: string;
  /** Whether the deployment changed anything: only then there is something to take back. */
  changed?: boolean;
  /** Platform version that it left. */
  version?: number;
}

export type RingState = 'waiting' | 'deploying' | 'soaking' | 'passed' | 'failed' | 'not started';

export interface RingView {
  name: string;
  state: RingState;
  /** In their order. Absent in runs of earlier versions. */
  states?: Reached<RingState>[];
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
  /** Milliseconds since the epoch. Absent in runs of earlier versions. */
  startedAt?: number;
  /** Absent while they run. */
  endedAt?: number;
  rings: RingView[];
}
