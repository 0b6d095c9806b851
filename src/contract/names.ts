/** Names that client, worker and workflows share. One place for each. */

/**
 * Task queue of an environment's workers: many environments share an engine, and none does another's work. Without a
 * slash: the engine's HTTP API would take that for two names.
 */
export function taskQueueOf(environment: string): string {
  return `ananta-deploy-${environment}`;
}

/** The versions of the workers' code are kept by the engine under this name, which may hold neither dots nor colons. */
export function workerDeploymentOf(environment: string): string {
  return taskQueueOf(environment).replaceAll(/[.:]/g, '-');
}

/** Namespace on an embedded engine. */
export const ENGINE_NAMESPACE = 'ananta';

export const WORKFLOW_TYPES = {
  deploy: 'deploy',
  rollback: 'rollback',
  repair: 'repair',
  destroy: 'destroy',
  adopt: 'adopt',
  rotate: 'rotate',
  phase: 'phase',
  drift: 'drift',
  queue: 'queue',
  rings: 'rings',
  notification: 'notification',
  backup: 'backup',
  rotation: 'rotation',
  nexusOperation: 'nexusOperation',
} as const;

/**
 * The id is the lock: one operation (deploy, rollback, repair, destroy, adopt, rotate) per environment and cluster.
 * @param clusterUid uid of the cluster's kube-system namespace
 */
export function operationWorkflowId(environment: string, clusterUid: string): string {
  return `${lockIdPrefix(environment)}${clusterUid.slice(0, 8)}`;
}

/** What the ids of an environment's operations begin with, on whatever cluster. */
export function lockIdPrefix(environment: string): string {
  return `deploy/${environment}/`;
}

/** Whether a workflow id is that of a lock, and not of a child of whoever holds it. */
export function isLockId(workflowId: string): boolean {
  return /^deploy\/[^/]+\/[^/]+$/.test(workflowId);
}

/** The schedule of drift runs, and the prefix of their workflow ids. */
export function driftScheduleId(environment: string, clusterUid: string): string {
  return `drift/${environment}/${clusterUid.slice(0, 8)}`;
}

/** The schedule of backups, and the prefix of their workflow ids. */
export function backupScheduleId(environment: string, clusterUid: string): string {
  return `backup/${environment}/${clusterUid.slice(0, 8)}`;
}

/** The schedule of rotations, and the prefix of their workflow ids. */
export function rotationScheduleId(environment: string, clusterUid: string): string {
  return `rotation/${environment}/${clusterUid.slice(0, 8)}`;
}

/** The schedule that belongs to a lock. */
export function driftScheduleIdOfLock(lockId: string): string {
  return lockId.replace(/^deploy\//, 'drift/');
}

/** Where the engine keeps which cluster the environment belongs to. */
export function bindingScheduleId(environment: string): string {
  return `cluster/${environment}`;
}

/** Where the engine keeps by which names the keys of the environment's histories go. */
export function keysScheduleId(environment: string): string {
  return `keys/${environment}`;
}

/** Who waits for the lock; the newest wins. */
export function queueWorkflowId(environment: string, clusterUid: string): string {
  return `queue/${environment}/${clusterUid.slice(0, 8)}`;
}

export const RINGS_PREFIX = 'rings/';

/** One at a time of each file of rings. */
export function ringsWorkflowId(name: string): string {
  return `${RINGS_PREFIX}${name}`;
}

/** What a Nexus operation is carried out by. @param requestId of whoever calls: the same starts it once */
export function nexusWorkflowId(environment: string, operation: string, requestId: string): string {
  return `nexus/${environment}/${operation}/${requestId}`;
}

/** The queue that belongs to a lock. */
export function queueIdOfLock(lockId: string): string {
  return lockId.replace(/^deploy\//, 'queue/');
}

export function phaseWorkflowId(operationId: string, runId: string, phase: number): string {
  return `${operationId}/${runId.slice(0, 8)}/phase-${String(phase).padStart(2, '0')}`;
}

/** @param key of the notification: the same key starts it once */
export function notificationWorkflowId(workflowId: string, runId: string, key: string): string {
  return `${workflowId}/${runId.slice(0, 8)}/notify-${key}`;
}

/** Labels on Helm's release Secrets: who wrote this revision, and from what. At most 63 characters each. */
export const RELEASE_LABELS = {
  environment: 'ananta-environment',
  service: 'ananta-service',
  /** Name of the platform; releases from before there were several have none. */
  platform: 'ananta-platform',
  /** Run id of the deploy workflow that owns the revision. */
  run: 'ananta-run',
  /** Digest of chart, values and image. */
  digest: 'ananta-digest',
  /** `bundled` or `upstream`: data written under one is not readable under the other. */
  charts: 'ananta-charts',
  /** Host and process of the Helm that wrote it. */
  owner: 'ananta-owner',
  /** Seconds after which that Helm has ended, however it fares. */
  bound: 'ananta-bound',
  /**
   * Number of the revision whose health check has succeeded. Helm copies labels to the next revision, whose number is
   * another.
   */
  proven: 'ananta-proven',
  /** Keyed proof that a run of ours wrote this very revision. */
  proof: 'ananta-proof',
  /** Number of the revision, made by somebody else, that a person has taken over. Helm hands it on: see `proven`. */
  adopted: 'ananta-adopted',
  /** Field manager in whose name the release was applied before that. Helm hands it on, too. */
  applier: 'ananta-applier',
  /** Marks of the fields that the revision left to others, such as replicas under an autoscaler. */
  left: 'ananta-left',
} as const;

/** Kubernetes namespace of the deployer's own records: platform versions, accepted drift. Not one of the platform's. */
export const RECORDS_NAMESPACE = 'ananta-system';

/**
 * The deployer itself, where it runs in the target cluster: Helm releases in a namespace of their own, apart from the
 * records, which `destroy --delete-data` removes while this engine is carrying it out.
 */
export const IN_CLUSTER = {
  namespace: 'ananta-deployer',
  database: 'deployer-database',
  schema: 'deployer-schema',
  engine: 'deployer-engine',
  ui: 'deployer-ui',
  worker: 'deployer-worker',
  /** Secret with the password of the engine's database; made once. */
  databaseSecret: 'deployer-database',
  /** Secret with the files that a worker in the cluster opens an engine outside of it with. */
  engineAccessSecret: 'deployer-engine-access',
  /** Of the containers: not Temporal's own, so that nobody takes this engine for the platform's. */
  enginePort: 17_233,
  uiPort: 18_233,
  healthPort: 18_081,
} as const;

/** Label and annotation on objects the deployer writes itself (namespaces, Secrets). */
export const MANAGED_BY = 'ananta-deploy';
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
/**
 * Name of the environment whose object it is. On everything that the deployer makes, itself or through charts of its
 * own.
 */
export const OWNER_LABEL = 'ananta.dev/environment';
/** On namespaces that the deployer has created: those that it only found, it never deletes. */
export const NAMESPACE_CREATED_ANNOTATION = 'ananta.dev/created';
/** On Helm's record of a release that a person has taken over: who, and when (ISO 8601). */
export const ADOPTED_BY_ANNOTATION = 'ananta.dev/adopted-by';
export const ADOPTED_AT_ANNOTATION = 'ananta.dev/adopted-at';
/** On claims and Secrets that Helm keeps since the release that it names was taken over: giving it back ends that. */
export const KEPT_FOR_ANNOTATION = 'ananta.dev/kept-for';
/** Version of the Vault path a Secret was made from, with the time at which that was written. */
export const VAULT_VERSION_ANNOTATION = 'ananta.dev/vault-version';
/** When a value of a Secret last changed (ISO 8601); on a pod template: that its pods were restarted for that. */
export const SECRETS_CHANGED_ANNOTATION = 'ananta.dev/secrets-changed';
/** When a value of a Secret was last changed by a rotation: its server knows it already. */
export const SECRETS_ROTATED_ANNOTATION = 'ananta.dev/secrets-rotated';
export const VAULT_PATH_ANNOTATION = 'ananta.dev/vault-path';

/** Name of the Kubernetes Secret made from a Vault path. */
export function kubernetesSecretName(vaultPath: string): string {
  return `vault-${vaultPath.replaceAll('/', '-')}`;
}

/** Name of the pods of a Job check, and what network policies let through: no release may have it. */
export function checkInstance(service: string, check: string): string {
  return `${service}-check-${check}`;
}

/** Every pod of a release carries this label with the release's name. */
export const INSTANCE_LABEL = 'app.kubernetes.io/instance';

export const DEPLOYER_SERVICE_ACCOUNT = { name: 'ananta-deployer', namespace: 'vault-system' } as const;
export const VAULT_REVIEWER_SERVICE_ACCOUNT = { name: 'vault-token-reviewer', namespace: 'vault-system' } as const;
/**
 * Secret with the authority of Vault's certificate (`ca.crt`), made in each namespace whose services log in to Vault.
 */
export const VAULT_CA_SECRET = 'vault-ca';
/** On that Secret: a digest of what it was made from. */
export const AUTHORITY_ANNOTATION = 'ananta.dev/authority';
/** Vault: mounts, roles and the audience of service account tokens. */
export const VAULT = {
  kvMount: 'secret',
  authMount: 'kubernetes',
  deployerRole: 'ananta-deployer',
  audience: 'vault',
  service: 'vault',
} as const;
