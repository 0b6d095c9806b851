/**
 * What the worker can do, as workflows see it. Every activity is idempotent and keyed by run and step,
 * so that one whose acknowledgement was lost can run again.
 */
import type { RunRef, ServiceFailure } from './deploy.ts';
import type { DeployPlan, PlannedService, PlannedStep } from './plan.ts';

export interface ApplyReleaseInput {
  run: RunRef;
  service: string;
  step: PlannedStep;
  /** Longest path first. */
  priority: number;
}
export interface ApplyReleaseResult {
  /** False where the cluster already held exactly this. */
  changed: boolean;
  revision: number;
  seconds: number;
  /** In words, where an interrupted Helm was recovered. */
  recovered?: string;
}

export interface AwaitHealthyInput {
  run: RunRef;
  service: string;
  step: PlannedStep;
  timeoutSeconds: number;
}
export interface AwaitHealthyResult {
  seconds: number;
  /** What proved it: `pg_isready exited 0`, `GET /health 200`, `Job completed`. */
  proof: string;
}

export interface Activities {
  /** Reads catalog, environment and cluster; changes nothing. */
  makePlan(run: RunRef): Promise<DeployPlan>;
  /** Creates what is missing of the platform's namespaces. */
  ensureNamespaces(run: RunRef): Promise<{ created: string[] }>;
  applyRelease(input: ApplyReleaseInput): Promise<ApplyReleaseResult>;
  awaitHealthy(input: AwaitHealthyInput): Promise<AwaitHealthyResult>;
  /** Initialises Vault if nobody has, keeps the keys where the environment says, unseals it. */
  openVault(run: RunRef): Promise<{ initialized: boolean; unsealed: boolean }>;
  /** KV v2, Kubernetes auth, deployer role, one policy and role per service. */
  configureVault(run: RunRef): Promise<{ changed: string[] }>;
  /** Writes what is missing of every declared path; overwrites nothing. */
  seedVault(run: RunRef): Promise<{ written: string[] }>;
  /** Makes or updates the Kubernetes Secrets from Vault. */
  syncSecrets(run: RunRef): Promise<{ written: string[] }>;
  /** Events, conditions and logs of a failed service, kept in a file and named in the failure. */
  collectEvidence(input: { run: RunRef; service: PlannedService; reason: string }): Promise<Pick<ServiceFailure, 'evidence' | 'summary'>>;
  /** Appends who, what, plan digest, cluster and result to the environment's audit trail. */
  recordResult(input: { run: RunRef; requestedBy: string; planDigest: string; outcome: string; seconds: number }): Promise<void>;
}
