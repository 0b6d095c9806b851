/**
 * Failure types: errors are classed once, where they arise, and Temporal retries accordingly. The type travels in
 * ApplicationFailure.type and is matched by it.
 */
export const FAILURES = {
  /** Never retried: a person has to change something. */
  invalidInput: 'InvalidInput',
  /** An object of somebody else's stands in the place of ours: taken over only by `adopt`. */
  notOurs: 'NotOurs',
  /** Encrypted with a key that is not here: where it is, the same can be read. */
  historyKeyMissing: 'HistoryKeyMissing',
  /** A record in the cluster cannot be read. */
  damagedRecord: 'DamagedRecord',
  chartInvalid: 'ChartInvalid',
  rejectedByCluster: 'RejectedByCluster',
  fieldConflict: 'FieldConflict',
  immutableField: 'ImmutableField',
  forbidden: 'Forbidden',
  planOutdated: 'PlanOutdated',
  clusterMismatch: 'ClusterMismatch',
  /** The cluster belongs to another environment, or its owner cannot be read. */
  clusterOwned: 'ClusterOwned',
  /** The environment is protected, and the operation was started without its confirmation. */
  notConfirmed: 'NotConfirmed',
  /** The environment is frozen, and its file says that nothing waits for the end of it. */
  frozen: 'Frozen',
  /** Somebody who may has said no. */
  rejected: 'Rejected',
  /** The plan breaks a rule of the environment. */
  policyViolated: 'PolicyViolated',
  /** Not enough approvals in time. */
  notApproved: 'NotApproved',
  jobFailed: 'JobFailed',
  notHealthyInTime: 'NotHealthyInTime',
  vaultKeysMissing: 'VaultKeysMissing',
  suppliedSecretMissing: 'SuppliedSecretMissing',
  /**
   * A generated value is missing in Vault and stands nowhere else: made anew only when somebody gives it up by name.
   */
  secretLost: 'SecretLost',
  /** The services are healthy, and what the platform's checks expect of them is not so. */
  checkFailed: 'CheckFailed',
  /** A ring did not stay well; the result in its details says which environment, and why. */
  ringFailed: 'RingFailed',
  deployFailed: 'DeployFailed',
  /** A rollback would cross a migration that cannot be taken back. */
  pointOfNoReturn: 'PointOfNoReturn',
  /** No such platform version, or Helm no longer has one of its revisions. */
  versionUnknown: 'VersionUnknown',
  /** A selected service depends on one that is neither selected nor healthy. */
  dependencyMissing: 'DependencyMissing',
  /** Something deleted does not go away. */
  stuck: 'Stuck',
  /** A drift run could not be finished; its reason is in its message. */
  driftFailed: 'DriftFailed',
  /** A scheduled backup was not made. */
  backupFailed: 'BackupFailed',

  /** What was asked of a running operation cannot be done now. */
  steeringRefused: 'SteeringRefused',
  /** Another operation holds the lock, and whoever asked did not want to wait. */
  lockHeld: 'LockHeld',
  /** It ended early, at a safe point, because somebody took the lock over. */
  superseded: 'Superseded',
  /** Retried: the cluster may be different in a moment. */
  unreachable: 'Unreachable',
  releaseBusy: 'ReleaseBusy',
  /** An admission webhook of the cluster does not answer, or its certificate is not trusted. */
  webhookFailed: 'WebhookFailed',
  vaultSealed: 'VaultSealed',
  helmInterrupted: 'HelmInterrupted',
  probeFailed: 'ProbeFailed',
  unexpected: 'Unexpected',
} as const;
export type FailureType = (typeof FAILURES)[keyof typeof FAILURES];

export const NON_RETRYABLE: readonly FailureType[] = [
  FAILURES.notOurs,
  FAILURES.damagedRecord,
  FAILURES.invalidInput,
  FAILURES.chartInvalid,
  FAILURES.rejectedByCluster,
  FAILURES.fieldConflict,
  FAILURES.immutableField,
  FAILURES.forbidden,
  FAILURES.planOutdated,
  FAILURES.clusterMismatch,
  FAILURES.clusterOwned,
  FAILURES.notConfirmed,
  FAILURES.frozen,
  FAILURES.rejected,
  FAILURES.policyViolated,
  FAILURES.notApproved,
  FAILURES.jobFailed,
  FAILURES.notHealthyInTime,
  FAILURES.vaultKeysMissing,
  FAILURES.suppliedSecretMissing,
  FAILURES.secretLost,
  FAILURES.checkFailed,
  FAILURES.ringFailed,
  FAILURES.deployFailed,
  FAILURES.pointOfNoReturn,
  FAILURES.versionUnknown,
  FAILURES.dependencyMissing,
  FAILURES.stuck,
  FAILURES.superseded,
  FAILURES.lockHeld,
  FAILURES.steeringRefused,
  FAILURES.driftFailed,
];

/** Exit codes of every command; the one table of the docs is made from it. */
export const EXIT_CODES = {
  done: 0,
  failed: 1,
  changes: 2,
  refused: 3,
  detached: 4,
  cancelled: 5,
} as const;
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];
