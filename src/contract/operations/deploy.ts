/** Messages between the CLI, the deploy workflow and its phases. */
import type { GateView } from '../admission/approvals.ts';
import type { CheckOutcome } from '../checks.ts';
import type { OperationPlan, Operation, PlannedService } from './plan.ts';
import type { OperationStep } from './steps.ts';
import type { SERVICE_STATES } from './states.ts';
import type { PhaseSteering, Steering } from './steering.ts';
import type { PromotedFrom } from '../version.ts';

export type ServiceState = (typeof SERVICE_STATES)[number];
export type FinalServiceState = 'healthy' | 'completed' | 'unchanged' | 'removed' | 'failed' | 'skipped' | 'cancelled';

/** Identifies the run for activities: small, the same for all of them. */
export interface RunRef {
  environment: string;
  /** Tag per service, from the command line. */
  imageTags: Record<string, string>;
  /** kube-system's uid: every activity that changes something checks it. */
  clusterUid: string;
  workflowId: string;
  runId: string;
  /** Run that this one takes back, under its lock and after all its steps have ended. */
  undoes?: string;
  /** What the run does; absent where it changes nothing by itself, and in runs of earlier versions. */
  operation?: Operation;
  requestedBy?: string;
  /** Without it no step touches a protected environment. */
  confirmation?: Confirmation;
}

/** Somebody has named a protected environment on purpose. Good for that, for one operation, and for whoever asked. */
export interface Confirmation {
  environment: string;
  operation: Operation;
  requestedBy: string;
}

/** What somebody decided on an operation: recorded in its result and in the audit trail. */
export interface OperationAct {
  /**
   * `override-freeze`, `approve`, `reject`; `request` of whoever has proved to have asked. Or the verb of a request
   * that steered it: `pause`, `skip` …
   */
  act: string;
  by: string;
  reason?: string;
  /** ISO 8601. */
  at: string;
  /** What it was decided on: names of freeze windows, the digest of a plan, a service. */
  on?: string;
}

/** What an operation waits for before it does anything. Kept in its memo, to be seen without a worker. */
export interface OperationWait {
  /** Id of the step. */
  step: string;
  /** One line. */
  reason: string;
  /** ISO 8601. */
  since: string;
  /** ISO 8601: when it ends by itself, as far as that is known. */
  until?: string | undefined;
  /** Where it waits at a gate. */
  gate?: GateView | undefined;
}

/** What every operation is started with. */
export interface OperationInput {
  environment: string;
  clusterUid: string;
  /** `user@host`, for the audit. */
  requestedBy: string;
  /** Digest of what somebody was shown: anything else is refused. */
  expectedDigest?: string;
  /** Ends the operation in good order when reached. */
  timeoutSeconds?: number;
  /** Needed where the environment is protected. */
  confirmation?: Confirmation;
  /** Why it goes on although the environment is frozen. */
  freezeOverride?: string;
  /** Proves who says so: `attestation` of a FreezeOverride. */
  freezeAttestation?: string;
  /** As the API server knows whoever asks. Believed of rings alone, which have had it proved. */
  requester?: string;
}

export interface DeployInput extends OperationInput {
  imageTags: Record<string, string>;
  /** Absent: everything. */
  selection?: Selection;
  /** It brings what a version of another environment holds: `imageTags` are of that. */
  promotedFrom?: PromotedFrom;
}

/** Part of the platform. Names and phases were checked against the catalog by whoever asks. */
export interface Selection {
  only?: string[];
  phases?: number[];
  /** Services (each with all that comes after it) or, as digits, a phase and all later ones. */
  from?: string[];
  skip?: string[];
  /** What the selected services depend on is pulled in; otherwise it has to be healthy already. */
  withDependencies?: boolean;
  /** Releases whose Job is run again although it has completed. */
  rerun?: string[];
}

export interface PhaseInput {
  run: RunRef;
  phase: number;
  title: string;
  services: PlannedService[];
  /** Those of its services; absent where a workflow of an earlier version has started it. */
  steps?: OperationStep[];
  /** Services that were healthy before this run began; nobody waits for them. */
  settled: string[];
  /**
   * For each of its services: other phases that wait for it. They get a signal directly, which saves a hop per edge.
   */
  tells: Record<string, number[]>;
  /** As it is when the phase starts; absent where a workflow of an earlier version has started it. */
  steering?: PhaseSteering;
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
  /** How often it was tried again before, on request; absent: never. */
  attempt?: number;
  /** Its turn has come, and a pause was asked for at this service: it waits until it may start. */
  reached?: true;
  /** Phases that could not be signalled directly that the service has ended: the deployment passes it on. */
  untold?: number[];
}

/** Phase to phase, or deployment to phase: a dependency in another phase has ended. */
export interface DependencySettled {
  service: string;
  ok: boolean;
  /** Not ok, because somebody has skipped it: what can do without it goes on. */
  skipped?: true;
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
  /** What a person should know of how it went; one line each, no secrets. */
  notes?: string[];
}

export interface PhaseResult {
  phase: number;
  services: ServiceOutcome[];
}

export const OPERATION_OUTCOMES = ['succeeded', 'unchanged', 'failed', 'cancelled'] as const;
export type OperationOutcome = (typeof OPERATION_OUTCOMES)[number];

/** How an operation ended, whichever it was. */
export interface OperationResult {
  operation: Operation;
  environment: string;
  workflowId: string;
  runId: string;
  outcome: OperationOutcome;
  seconds: number;
  criticalPathSeconds: number;
  criticalPath: string[];
  planDigest: string;
  services: ServiceOutcome[];
  /** How the checks of the verification stage ended; absent where none was made. */
  checks?: CheckOutcome[];
  /** A failure that belongs to no service: planning, namespaces, checks. */
  failure?: ServiceFailure;
  /** Number of the platform version that it made. */
  version?: number;
  /** The version it leads back to. */
  toVersion?: number;
  /** What people decided while it ran. */
  acts?: OperationAct[];
  promotedFrom?: PromotedFrom;
  /** Of an adoption that gave back what was taken over. */
  givenBack?: true;
  /** Who took the lock over, where it ended early for that. */
  supersededBy?: string;
  /** How undoing what this run had changed ended, where the environment asks for it after a failure. */
  undone?: { outcome: string; services: ServiceOutcome[]; notes?: string[]; failure?: ServiceFailure };
  /** Of services that were not well before they were touched: files on the worker's machine. */
  evidence?: { service: string; file: string }[];
  /** What a person should know of how it went; one line each, no secrets. */
  notes?: string[];
  /** After a destruction: what is still there, and why. */
  remains?: RemainingObject[];
}

/** An object of ours that is still in the cluster after a destruction. */
export interface RemainingObject {
  kind: string;
  namespace?: string;
  name: string;
  /** `kept`: on purpose; `stuck`: it was deleted, and something holds it. */
  state: 'kept' | 'stuck';
  /** Why it was kept, or what holds it: one line. */
  reason: string;
}

/** What the deploy workflow answers to the query `deployment`. */
export interface DeploymentView {
  plan?: OperationPlan;
  progress: Record<string, ServiceProgress>;
  steering?: Steering;
}
