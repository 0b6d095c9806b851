/**
 * The activities, as workflows see them. Each is idempotent and keyed by run and step, so that one whose
 * acknowledgement was lost can run again.
 */
import type { PlannedCheck } from './checks.ts';
import type {
  OperationAct,
  RemainingObject,
  RunRef,
  Selection,
  ServiceFailure,
  ServiceOutcome,
} from './operations/deploy.ts';
import type { DriftFinding, DriftMode, DriftOutcome, DriftReport } from './drift.ts';
import type { Attested } from './admission/approvals.ts';
import type { FreezeVerdict, OverrideRequest } from './admission/freeze.ts';
import type { ClaimGrowth, SetReplacement } from './growing.ts';
import type { LockHolder } from './lock.ts';
import type { AwaitedOperation, Preparation, PrepareInput } from './nexus/messages.ts';
import type { Asks, DeadLetter, Delivery, DeliveryAnswer, Notification, NotificationInput } from './notifications.ts';
import type { NotifyEvent } from './notify-events.ts';
import type { OperationPlan, Operation, PlannedService, PlannedStep } from './operations/plan.ts';
import type { RotateSelection, RotationAct, SecretName } from './operations/secret-name.ts';
import type { PlatformVersion, PromotedFrom } from './version.ts';

export interface ApplyReleaseInput {
  run: RunRef;
  service: string;
  step: PlannedStep;
  /** Longest path first. */
  priority: number;
  /** Somebody has asked for another try within the run: a Job that has failed runs once more. */
  again?: true;
}
export interface ApplyReleaseResult {
  /** False where the cluster already held exactly this. */
  changed: boolean;
  revision: number;
  seconds: number;
  /** In words, where an interrupted Helm was recovered. */
  recovered?: string;
  /** Fields that somebody had changed by hand, set again: `spec.replicas of Deployment ns/name, changed by kubectl`. */
  putBack?: string[];
  /** Sizes of volumes that a revision gone back to had otherwise, and that stay as they are. */
  kept?: string[];
}

export interface AwaitHealthyInput {
  run: RunRef;
  service: string;
  step: PlannedStep;
  timeoutSeconds: number;
}
/** What a wait reports while it lasts: seen by whoever is attached, and by the next attempt. */
export interface WaitingBeat {
  /** Of the health timeout. */
  spentSeconds: number;
  release: string;
  /** What is waited for, in one line. */
  status: string;
  /**
   * The part of it that somebody may have to do something about: a quota, a node that is missing, a pod that cannot be
   * made.
   */
  cause?: string;
}

export interface AwaitHealthyResult {
  seconds: number;
  /** What proved it: `pg_isready exited 0`, `GET /health 200`, `Job completed`. */
  proof: string;
}

export interface MakePlanInput {
  run: RunRef;
  selection?: Selection;
  /** A plan with another digest is refused: cluster or catalog have changed since somebody looked at it. */
  expectedDigest?: string;
}

export interface RemoveReleaseInput {
  run: RunRef;
  service: string;
  step: PlannedStep;
  priority: number;
}

export interface RecordDriftInput {
  run: RunRef;
  outcome: DriftOutcome;
  /** Keys that a repair was tried on, whether or not it lasted. */
  attempted: string[];
  findings: number;
  repaired: number;
  flapping: number;
  seconds: number;
  reason?: string;
}

export interface NotifyInput {
  run: RunRef;
  /** `deploy-failed` is `failure`, as it was called once. */
  event: NotifyEvent | 'deploy-failed';
  title: string;
  lines: string[];
  /** What people are asked. */
  asks?: Asks;
  /** What it is about: sent only when this differs from what was sent last. Absent: sent in any case. */
  about?: string[];
}

/** Activities that answer with a plan: the CLI draws from the first of them in an operation's history. */
export const PLAN_ACTIVITIES: readonly (keyof Activities)[] = [
  'makePlan',
  'planRollback',
  'planUndo',
  'planRepair',
  'planAdopt',
  'planDestroy',
  'planRotate',
];

export interface Activities {
  /** Reads catalog, environment and cluster; changes nothing. */
  makePlan(input: MakePlanInput): Promise<OperationPlan>;
  /** Whether the environment is frozen now, by its file as it is now. */
  checkFreeze(run: RunRef): Promise<FreezeVerdict>;
  /**
   * Who has made an attestation in the cluster, as the API server says; absent: there is none of that name, or it was
   * made for something else than `override`.
   */
  readAttestation(input: { run: RunRef; name: string; override?: OverrideRequest }): Promise<{ attested?: Attested }>;
  /** Vault's snapshot and the records into one file in the environment's folder. @param at ISO 8601: names the file */
  makeBackup(input: {
    run: RunRef;
    at: string;
  }): Promise<{ file: string; bytes: number; sha256: string; pruned: string[]; left?: string } | { skipped: string }>;
  /**
   * A dump of a database (`server/name`) into the environment's folder, once a run; nothing where pods are simulated.
   */
  takeCheckpoint(input: {
    run: RunRef;
    database: string;
    before: string[];
  }): Promise<{ file?: string; bytes?: number; seconds: number; left?: string; snapshots?: string[] }>;
  /**
   * Claims of the release ask for more, and their file systems have it; notes on those that grow when a pod mounts
   * them.
   */
  expandClaims(input: {
    run: RunRef;
    service: string;
    step: PlannedStep;
    claims: ClaimGrowth[];
    timeoutSeconds: number;
  }): Promise<{ changed: boolean; seconds: number; notes: string[] }>;
  /** Servers of Vault leave its raft cluster; names of those that this attempt has taken out. */
  removeRaftPeers(input: { run: RunRef; service: string; step: PlannedStep; servers: string[] }): Promise<{
    removed: string[];
  }>;
  /** StatefulSets of the release are deleted without their pods; names of those that this attempt has deleted. */
  replaceStatefulSets(input: {
    run: RunRef;
    service: string;
    step: PlannedStep;
    sets: SetReplacement[];
  }): Promise<{ replaced: string[] }>;
  /** Creates what is missing of the platform's namespaces. */
  ensureNamespaces(run: RunRef): Promise<{ created: string[] }>;
  applyRelease(input: ApplyReleaseInput): Promise<ApplyReleaseResult>;
  /** The same for a revision in Helm's history, `toRevision` of the step. */
  rollbackRelease(input: ApplyReleaseInput): Promise<ApplyReleaseResult>;
  awaitHealthy(input: AwaitHealthyInput): Promise<AwaitHealthyResult>;
  /** Initialises Vault if nobody has, keeps the keys where the environment says, unseals it. */
  openVault(run: RunRef): Promise<{ initialized: boolean; unsealed: boolean }>;
  /** KV v2, Kubernetes auth, deployer role, one policy and role per service. */
  configureVault(run: RunRef): Promise<{ changed: string[] }>;
  /**
   * Writes what is missing of every declared path; overwrites nothing. Restored: paths whose lost values came back as
   * they were.
   */
  seedVault(run: RunRef): Promise<{ written: string[]; restored: string[] }>;
  /** Makes or updates the Kubernetes Secrets from Vault. */
  syncSecrets(run: RunRef): Promise<{ written: string[] }>;
  /**
   * Makes one check of the verification stage, again and again until it passes or its time is over: then CheckFailed.
   * What it makes in the cluster is removed when it has passed.
   */
  runCheck(input: { run: RunRef; check: PlannedCheck }): Promise<{ text: string; seconds: number }>;
  /** Every health check and every check of the verification stage, once, now: what is not well, one line each. */
  lookAtPlatform(run: RunRef): Promise<{ unwell: string[] }>;
  /**
   * Events, conditions and logs of a failed service, kept in a file and named in the failure. `before`: of one that is
   * about to be touched; kept beside that of its failure. `check`: of what a failed check has asked, its Job included.
   */
  collectEvidence(input: {
    run: RunRef;
    service: PlannedService;
    reason: string;
    before?: true;
    check?: string;
  }): Promise<Pick<ServiceFailure, 'evidence' | 'summary'>>;
  /** Appends who, what, plan digest, cluster and result to the environment's audit trail. */
  recordResult(input: {
    run: RunRef;
    operation: Operation;
    requestedBy: string;
    planDigest: string;
    outcome: string;
    seconds: number;
    acts?: OperationAct[];
  }): Promise<void>;

  /**
   * What leads back to a platform version (the one before the current where none is named), dependents first; changes
   * nothing.
   */
  planRollback(input: {
    run: RunRef;
    toVersion?: number;
    pastNoReturn: boolean;
    expectedDigest?: string;
  }): Promise<OperationPlan>;
  /** What leads back to the state before this run: of the services it changed. */
  planUndo(input: { run: RunRef; changed: string[] }): Promise<OperationPlan>;
  /**
   * Keeps what the cluster now holds as the next platform version, and Helm's history as long as a version needs it.
   */
  recordVersion(input: {
    run: RunRef;
    operation: Operation;
    requestedBy: string;
    planDigest: string;
    seconds: number;
    restores?: number;
    promotedFrom?: PromotedFrom;
    services: ServiceOutcome[];
    acts?: OperationAct[];
  }): Promise<{ version: number }>;

  /** What is taken over for a service: releases in its place that are not ours; changes nothing. */
  planAdopt(input: {
    run: RunRef;
    service?: string;
    services?: string[];
    expectedDigest: string;
    undo?: true;
  }): Promise<OperationPlan>;
  /** Marks them as ours, and their claims to be kept, or takes those marks off; applies and deletes nothing. */
  adoptReleases(input: {
    run: RunRef;
    service: string;
    requestedBy: string;
    plan: OperationPlan;
    undo?: true;
  }): Promise<{ adopted: string[] }>;
  /** What is done to replace secrets by new values: which, by what steps, who is restarted; changes nothing. */
  planRotate(input: { run: RunRef; expectedDigest?: string } & RotateSelection): Promise<OperationPlan>;
  /** One act on one secret; done again it leads to the same end. No value leaves it. */
  rotateSecret(input: { run: RunRef; act: RotationAct; secret: SecretName }): Promise<{
    changed: boolean;
    /** For people; one line each. */
    notes: string[];
  }>;
  /** Replaces pods of a release that started before a Secret that they read changed. */
  restartRelease(input: { run: RunRef; service: string; step: PlannedStep }): Promise<{ changed: boolean }>;
  /** What has to be removed, dependents first; changes nothing. */
  planDestroy(input: { run: RunRef; deleteData: boolean; expectedDigest?: string }): Promise<OperationPlan>;
  /** Uninstalls one release; volumes stay. */
  removeRelease(input: RemoveReleaseInput): Promise<{ removed: boolean; seconds: number }>;
  /**
   * Deletes Secrets, definitions, namespaces and, if asked for, data, after the releases. Names what is kept or stuck.
   */
  removeRemains(input: {
    run: RunRef;
    deleteData: boolean;
  }): Promise<{ removed: string[]; remains: RemainingObject[] }>;

  /**
   * Unlocks those of the releases that this run was interrupted on and whose Helm was killed, for the next operation.
   * Nothing is uninstalled.
   */
  settleReleases(input: {
    run: RunRef;
    releases: { namespace: string; name: string }[];
  }): Promise<{ settled: string[] }>;

  /** Registers, changes or removes the schedule of drift runs, as the environment says; a pause is left as it is. */
  ensureDriftSchedule(run: RunRef): Promise<{ changed: boolean }>;
  /** Before a destruction: what is taken down on purpose is not to be brought back. */
  removeDriftSchedule(run: RunRef): Promise<{ removed: boolean }>;
  /** @returns who holds the lock of the environment; undefined when it is free */
  lockHolder(run: Pick<RunRef, 'environment' | 'clusterUid'>): Promise<{ holder?: LockHolder }>;
  /** Ends when the lock is free. */
  awaitLockFree(run: Pick<RunRef, 'environment' | 'clusterUid'>): Promise<void>;
  /**
   * Compares the cluster with what was applied; changes nothing. Flapping ones are those that have been repaired too
   * often. `repairDigest` is over what a repair would touch. `mode` is what the environment's file says now: a schedule
   * may have been registered with another.
   */
  findDrift(run: RunRef): Promise<{
    report: DriftReport;
    flapping: string[];
    mode?: DriftMode;
    repairDigest?: string;
    /** Why nothing is repaired now, in a few words; absent: nothing stands against it. */
    frozen?: string;
    /** Events of which anybody outside is notified; absent: the environment names nobody. */
    notifications?: NotifyEvent[];
  }>;
  /** Steps for releases that have drifted; the rest is unchanged. */
  planRepair(input: { run: RunRef; findings: DriftFinding[] }): Promise<OperationPlan>;
  /**
   * What no release can repair: fields that somebody added, definitions. What cannot be taken out keeps nothing else
   * from being repaired: `refused` says why, a line each.
   */
  repairFindings(input: { run: RunRef; findings: DriftFinding[] }): Promise<{ repaired: string[]; refused?: string[] }>;
  /** Counts the repairs of each finding, for the loop breaker, and keeps the run for `drift runs`. */
  recordDrift(input: RecordDriftInput): Promise<void>;
  /** What stands against a deployment that another team's workflow has asked for is found before it is started. */
  prepareDeployment(input: PrepareInput): Promise<Preparation>;
  /** A version that this environment keeps. @param version absent: the newest */
  readVersion(input: { run: RunRef; version?: number }): Promise<{ version: PlatformVersion }>;
  /** Waits for the end of an operation that somebody else has started. */
  awaitOperation(input: { run: RunRef; workflowId: string; runId: string }): Promise<AwaitedOperation>;
  /** Calls the environment's command or webhook. A failure to call never fails the operation. */
  notify(input: NotifyInput): Promise<{ sent: boolean }>;
  /** The notification, and names of the targets that get it. None where the last one said the same. */
  addressNotification(input: NotificationInput): Promise<{ targets: string[]; notification: Notification }>;
  /** One attempt at one target; that it failed is an answer, too. */
  deliverNotification(input: { run: RunRef; target: string; notification: Notification }): Promise<DeliveryAnswer>;
  /**
   * Keeps what could not be delivered, or removes it once it was. @returns the id under which it is kept; none on a
   * cluster that is not the environment's
   */
  settleNotification(input: {
    run: RunRef;
    notification: Notification;
    delivery: Delivery;
    before?: DeadLetter;
  }): Promise<{ letter?: string }>;
}

/** What an activity is asked, and what it answers. */
export type InputOf<Name extends keyof Activities> = Parameters<Activities[Name]>[0];
export type OutputOf<Name extends keyof Activities> = ReturnType<Activities[Name]>;
