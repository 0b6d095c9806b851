/** Freeze windows of an environment, as workers pass them to workflows, and what people do about them. */
import type { Operation } from '../operations/plan.ts';

/** Whether the environment is frozen at a moment. */
export interface FreezeState {
  frozen: boolean;
  /** Names of the windows that last. */
  windows: string[];
  /** ISO 8601: when it opens, with exceptions; absent where it is not frozen, or no end can be seen. */
  until?: string;
  /** The same for people, in the environment's time zone. */
  opens?: string;
  /** Reason of the exception that lasts. */
  exception?: string;
}

/** What the environment's file says of an operation, as it is now. */
export interface FreezeVerdict extends FreezeState {
  onFrozen: 'wait' | 'refuse';
  /** Of waiting in all. */
  waitSeconds: number;
}

/** Update to an operation that waits, or part of its input: it goes on all the same. */
export interface FreezeOverride {
  /** What the client says of itself; on record stands who the API server says it is. */
  by: string;
  reason: string;
  /** Name of the object in the cluster that the API server has put the name of whoever overrides on. */
  attestation?: string;
}

/** What a freeze is overridden for, before it is started. */
export interface OverrideRequest {
  environment: string;
  clusterUid: string;
  operation: Operation;
  reason: string;
  /** What the operation is asked for: the proof counts for no other. */
  asks: string;
}
