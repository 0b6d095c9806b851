import type { OperationDefinition, ServiceDefinition } from 'nexus-rpc';

/** What runs, how the last operation ended, and which version there is. */
export type StatusInput = Record<string, never>;

export interface StatusOutput {
  environment: string;
  /** The operation that holds the lock; absent: none. */
  running?: {
    operation: string;
    /** `user@host`, or `nexus:NAMESPACE/WORKFLOW` of a workflow that has asked. */
    requestedBy: string;
    /** ISO 8601. */
    since: string;
    workflowId: string;
    runId: string;
    /** What it waits for: a gate, a freeze, an answer; and why it does not move. One line each. */
    waits: string[];
  };
  /** The newest operation that has ended. */
  last?: {
    workflowId: string;
    runId: string;
    /** COMPLETED, FAILED, CANCELLED, TERMINATED or TIMED_OUT. */
    status: string;
    startedAt: string;
    endedAt?: string;
  };
  /** The newest platform version; absent: there is none, or `problem` says why it is not known. */
  version?: {
    version: number;
    /** ISO 8601. */
    at: string;
    operation: string;
    requestedBy: string;
    planDigest: string;
    promotedFrom?: { environment: string; version: number };
  };
  problem?: string;
}

export interface VerifyInput {
  /** Also compares the cluster with what was deployed; repairs nothing. */
  drift?: boolean;
}

export interface VerifyOutput {
  environment: string;
  healthy: boolean;
  /** What is not as it should be: one line each. */
  unwell: string[];
}

export interface Asked {
  /** The environment's name, on purpose; needed where the environment is protected. */
  confirm?: string;
  /** Digest of the plan that somebody has looked at: any other plan is refused. */
  planDigest?: string;
  /** Seconds after which the operation is ended in good order. */
  timeoutSeconds?: number;
}

export interface DeployInput extends Asked {
  /** Tag or digest (sha256:…) by service. */
  images?: Record<string, string>;
  /** Only these services. */
  only?: string[];
  phases?: number[];
  /** These services and all that comes after them; digits: a phase and all later ones. */
  from?: string[];
  skip?: string[];
  /** What the selected services depend on, too. */
  withDependencies?: boolean;
  /** Jobs that run again although they have completed. */
  rerun?: string[];
  /**
   * Where somebody holds the lock: wait for its end and deploy then (`queue`, the default); take part in a deployment
   * that was asked for the same (`attach`; another one is waited for); or `refuse`.
   */
  ifRunning?: 'queue' | 'attach' | 'refuse';
}

export interface PromoteInput extends Asked {
  /** The environment whose version is promoted. */
  from: string;
  /** Absent: its newest. */
  version?: number;
  /** Crosses migrations that cannot be taken back. */
  pastNoReturn?: boolean;
  ifRunning?: 'queue' | 'refuse';
}

/** How an operation ended. Of one that failed it is the detail of the failure that the caller gets. */
export interface OperationOutput {
  operation: string;
  environment: string;
  outcome: 'succeeded' | 'unchanged' | 'failed' | 'cancelled';
  /** True: it was somebody else's, and did the same. */
  attached: boolean;
  requestedBy: string;
  workflowId: string;
  runId: string;
  planDigest: string;
  seconds: number;
  /** Platform version that it has left. */
  version?: number;
  promotedFrom?: { environment: string; version: number };
  services: { name: string; state: string; changed: boolean; seconds: number; failure?: string }[];
  /** Checks of the verification stage that did not pass. */
  failedChecks: string[];
  /** What a person should know: one line each. */
  notes: string[];
}

/** A type, since an interface has no index signature, which Nexus asks for. */
export type AnantaOperations = {
  status: OperationDefinition<StatusInput, StatusOutput>;
  verify: OperationDefinition<VerifyInput, VerifyOutput>;
  deploy: OperationDefinition<DeployInput, OperationOutput>;
  promote: OperationDefinition<PromoteInput, OperationOutput>;
};

/** The Nexus service of an environment's deployer. One endpoint for each environment. */
export declare const ananta: ServiceDefinition<AnantaOperations>;

/** Name of an environment's endpoint, where its file says no other. */
export declare function endpointOf(environment: string): string;
