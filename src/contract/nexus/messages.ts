/** Between the handlers of Nexus operations, the workflow that carries one out, and its activities. */
import type { Confirmation, OperationResult, RunRef, Selection } from '../operations/deploy.ts';
import type { PlatformVersion, PromotedFrom } from '../version.ts';
import type { NexusIfRunning } from './operations.ts';

interface Request {
  environment: string;
  clusterUid: string;
  /** `nexus:NAMESPACE/WORKFLOW`: as the engine knows who has asked. */
  requestedBy: string;
}

interface Changing extends Request {
  expectedDigest?: string;
  timeoutSeconds?: number;
  confirmation?: Confirmation;
  ifRunning: NexusIfRunning;
}

export interface DeployRequest extends Changing {
  kind: 'deploy';
  imageTags: Record<string, string>;
  selection?: Selection;
}

export interface PromoteRequest extends Changing {
  kind: 'promote';
  from: string;
  version?: number;
  pastNoReturn: boolean;
}

export interface VerifyRequest extends Request {
  kind: 'verify';
  drift: boolean;
}

/** What the workflow `nexusOperation` is started with: checked, allowed, and nothing of it done yet. */
export type NexusRequest = DeployRequest | PromoteRequest | VerifyRequest;

/** What stands against a deployment is found before it holds the lock. */
export interface PrepareInput {
  run: RunRef;
  promote?: { version: PlatformVersion; pastNoReturn: boolean };
}

export interface Preparation {
  imageTags: Record<string, string>;
  promotedFrom?: PromotedFrom;
  /** What a person should know, one line each. */
  notes: string[];
}

/** How somebody else's operation ended. */
export interface AwaitedOperation {
  result?: OperationResult;
  /** Where it ended without a result. */
  problem?: string;
}
