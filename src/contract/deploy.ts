/** Messages between the CLI, the deploy workflow and its phases. */
import type { DeployPlan, PlannedService } from './plan.ts';
import type { SERVICE_STATES } from './states.ts';

export type ServiceState = (typeof SERVICE_STATES)[number];
export type FinalServiceState = 'healthy' | 'completed' | 'unchanged' | 'failed' | 'skipped' | 'cancelled';

/** Identifies the run for activities: small, the same for all of them. */
export interface RunRef {
  environment: string;
  /** Tag per service, from the command line. */
  imageTags: Record<string, string>;
  /** kube-system's uid: every activity that changes something checks it. */
  clusterUid: string;
  workflowId: string;
  runId: string;
}

export interface DeployInput {
  environment: string;
  imageTags: Record<string, string>;
  clusterUid: string;
  /** `user@host`, for the audit. */
  requestedBy: string;
  /** Ends the deployment in good order when reached. */
  timeoutSeconds?: number;
}

export interface PhaseInput {
  run: RunRef;
  phase: number;
  title: string;
  services: PlannedService[];
  /** Services that were healthy before this run began; nobody waits for them. */
  settled: string[];
  /** For each of its services: other phases that wait for it. They are told directly, which saves a hop per edge. */
  tells: Record<string, number[]>;
  helmTimeoutSeconds: number;
}

/** Child to parent, and the stream that the CLI draws from: one event per change of state. */
export interface ServiceProgress {
  service: string;
  state: ServiceState;
  /** Milliseconds since the epoch, workflow time. */
  at: number;
  /** What it waits for, which step runs, why it is retried: one line, no secrets. */
  detail?: string;
  outcome?: ServiceOutcome;
  /** Phases that could not be told directly that the service has ended: the deployment passes it on. */
  untold?: number[];
}

/** Phase to phase, or deployment to phase: a dependency in another phase has ended. */
export interface DependencySettled {
  service: string;
  ok: boolean;
}

export interface ServiceFailure {
  type: string;
  /** What was attempted, on what, what came back. */
  message: string;
  /** File with events, conditions and logs, on the worker's machine. */
  evidence?: string;
  /** Last lines of the evidence that fit a terminal. */
  summary?: string[];
}

export interface ServiceOutcome {
  name: string;
  phase: number;
  state: FinalServiceState;
  /** From the moment it could start to its end. */
  seconds: number;
  changed: boolean;
  failure?: ServiceFailure;
}

export interface PhaseResult {
  phase: number;
  services: ServiceOutcome[];
}

export interface DeployResult {
  environment: string;
  workflowId: string;
  runId: string;
  outcome: 'succeeded' | 'unchanged' | 'failed' | 'cancelled';
  seconds: number;
  criticalPathSeconds: number;
  criticalPath: string[];
  planDigest: string;
  services: ServiceOutcome[];
  /** A failure that belongs to no service: planning, namespaces. */
  failure?: ServiceFailure;
}

/** What the deploy workflow answers to the query `deployment`. */
export interface DeploymentView {
  plan?: DeployPlan;
  progress: Record<string, ServiceProgress>;
}
