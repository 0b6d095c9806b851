/** The lock of an environment: who holds it, who waits for it, how it is handed over. */
import type { DeployInput, OperationWait } from './operations/deploy.ts';
import type { Operation } from './operations/plan.ts';

/** Kept in the memo of every operation, so that a holder can be named without its history. */
export interface LockMemo {
  operation: Operation;
  /** `user@host`. */
  requestedBy: string;
  /**
   * What was asked for, to be compared: the same text asks for the same. Absent: of an earlier version, or not
   * comparable.
   */
  asks?: string | undefined;
  /** What it waits for before it does anything: as long as it does, it changes nothing. */
  waits?: OperationWait | null | undefined;
}

export interface LockHolder extends LockMemo {
  workflowId: string;
  runId: string;
  /** ISO 8601. */
  since: string;
  /** Workers that ask for its work; 0: it cannot go on until one is started. */
  workers: number;
  /** Why it makes no progress, in a few words; absent while it does. */
  stalled?: string;
  /** Who has paused it and what people are asked, a line each. Absent: it waits for nobody. */
  held?: string[];
}

/** What the queue of an environment is started with. */
export interface QueueInput {
  environment: string;
  clusterUid: string;
}

/** A deployment that waits for the lock: the newest request wins. */
export interface QueueRequest {
  /** Of whoever asks, unique. */
  requestId: string;
  input: DeployInput;
}

/** What each request is answered in the end: its deployment was started, or a newer request took its place. */
export type QueueAnswer = { started: { workflowId: string; runId: string } } | { overtakenBy: string };

/** Kept in the memo of the queue: who waits, to be shown without a worker. */
export interface QueueMemo {
  /** `user@host`; empty once its deployment has been started. */
  requestedBy: string;
  /** ISO 8601. */
  since: string;
}

/** Signal to a phase: nothing further is started. */
export interface StopPhase {
  /** One line: why. */
  reason: string;
  /** `finish`: what is at work goes on to its end; `yield`: Helm ends its release, waiting for health is given up. */
  mode: 'finish' | 'yield';
}

/** Signal to an operation: end at the next safe point. */
export interface Supersede {
  by: string;
}
