/** The lock of an environment: who holds it, who waits for it, how it is handed over. */
import type { DeployInput } from './deploy.ts';
import type { Operation } from './plan.ts';

/** Kept in the memo of every operation, so that a holder can be named without its history. */
export interface LockMemo {
  operation: Operation;
  /** `user@host`. */
  requestedBy: string;
}

export interface LockHolder extends LockMemo {
  workflowId: string;
  runId: string;
  /** ISO 8601. */
  since: string;
  /** Workers that ask for its work; 0: it cannot go on until one is started. */
  workers: number;
}

/** A deployment that waits for the lock: the newest request wins. */
export interface QueueRequest {
  /** Of whoever asks, unique. */
  requestId: string;
  input: DeployInput;
}

export interface QueueResult {
  /** The request that was started; others were overtaken by it. */
  requestId: string;
  requestedBy: string;
  workflowId: string;
  runId: string;
}

/** Signal to a phase: nothing further is started. */
export interface StopPhase {
  reason: string;
  /** `finish`: what is at work goes on to its end; `yield`: Helm ends its release, waiting for health is given up. */
  mode: 'finish' | 'yield';
}

/** Signal to an operation: end at the next safe point. */
export interface Supersede {
  by: string;
}
