/** What was seen in the cluster before planning: read by an activity, judged by `decide.ts`. */
import type { LeftField } from './fields/left.ts';
import type { DecidedGrowth } from './growing/decide.ts';

/** What was seen of its StatefulSet and its configuration. */
export interface ObservedVaultServer {
  replicas: number;
  /** Pods whose template is older than that of the StatefulSet, where nobody but the deployer replaces them. */
  outdatedPods: number;
  /** HCL; undefined when it was not read. */
  configuration?: string;
}

export type ReleaseStatus =
  | 'deployed'
  | 'failed'
  | 'superseded'
  | 'uninstalled'
  | 'uninstalling'
  | 'pending-install'
  | 'pending-upgrade'
  | 'pending-rollback'
  | 'unknown';

/**
 * Who wrote a revision. `ours`: proved. `foreign`: somebody else wrote or edited it. `unproven`: written before there
 * was a key, ours by its labels. `unknown`: its proof cannot be checked now, because Vault is away or holds another
 * key.
 */
export type Provenance = 'ours' | 'foreign' | 'unproven' | 'unknown';

export interface ObservedRelease {
  revision: number;
  status: ReleaseStatus;
  /** Labels on the newest revision's Secret, RELEASE_LABELS among them. */
  labels: Record<string, string>;
  /** Absent: nobody has looked; then the labels count. */
  provenance?: Provenance;
  /** Who wrote it and when (ISO 8601), for one that is foreign. */
  writtenBy?: { manager: string; at: string };
  /** Whether any revision of the release is ours; absent: nobody has looked. */
  ours?: boolean;
  /** Of the Secret that holds it. */
  secret?: { uid: string };
}

/** A release of one of our names that we did not make. */
export interface ForeignRelease {
  namespace: string;
  name: string;
  /** Whose place it has taken; absent for a release that the catalog does not have. */
  service?: string;
  revision: number;
  status: string;
  /** Name and version; absent where Helm's record cannot be read. */
  chart?: string;
  /** Field manager that wrote Helm's record, as the API server saw it. */
  by: string;
  /** ISO 8601: when it was last written. */
  at: string;
  /** Environment that its record is labelled with; absent: none. */
  environment?: string;
  /** Further labels of the record, `team=web`: who it belongs to, where its owner says so. */
  labels: string[];
}

export interface ObservedHealth {
  healthy: boolean;
  /** `0/1 pods ready`, `Job failed: BackoffLimitExceeded`; empty when healthy. */
  reason: string;
  /** A Job of the release has failed for good: it has to be made anew. */
  jobFailed: boolean;
}

/** A Kubernetes Secret made from Vault whose value has changed, or may change. */
export interface ChangedSecret {
  namespace: string;
  name: string;
  /** Its path in Vault. */
  path: string;
  /** It is made anew from Vault by this deployment, and its value may change with that. */
  stale: boolean;
  /** ISO 8601, whole seconds: when its value last changed. */
  changedAt?: string;
  /** By a rotation: its server had it before anybody else. */
  rotated?: true;
}

export interface ObservedCluster {
  /** Names of those of the platform's namespaces that exist as wanted. */
  namespaces: ReadonlySet<string>;
  /** Those of the platform's namespaces that somebody has deleted and that have not gone yet. Absent: none. */
  terminating?: ReadonlySet<string>;
  /** Key `<namespace>/<release>`. */
  releases: ReadonlyMap<string, ObservedRelease>;
  /** How many nodes there are, at most 1; absent: nobody may look. */
  nodes?: number;
  /** Definitions that its chart brings along and that somebody has deleted, by release name. Absent: none. */
  lostDefinitions?: ReadonlyMap<string, readonly string[]>;
  /** Migrations that cannot be taken back and have not run yet, where the database is kept first; same key. */
  pendingNoReturn?: ReadonlyMap<string, readonly string[]>;
  /** Volumes that would grow, by release; same key. Absent: none, or nobody has looked. */
  growing?: ReadonlyMap<string, DecidedGrowth>;
  /** Releases whose StatefulSet was deleted without its pods; same key. Absent: none. */
  orphaned?: ReadonlySet<string>;
  /** Secrets made from Vault whose value has changed, or may. */
  changedSecrets?: readonly ChangedSecret[];
  /** ISO 8601: since when the oldest pod of a release is there. Key `<namespace>/<release>`. */
  podsSince?: ReadonlyMap<string, string>;
  /** Why proofs of revisions could not be checked; absent: they were. */
  proofsUnchecked?: string;
  /** Those of the catalog's releases that somebody else has made; same key. Absent: none. */
  foreign?: ReadonlyMap<string, ForeignRelease>;
  /** Key `<namespace>/<release>`, from the live workloads by instance label. Absent: no workload at all. */
  health: ReadonlyMap<string, ObservedHealth>;
  /** All fields that are left to others now; absent: nobody looked. */
  left?: readonly LeftField[];
  vault: 'absent' | 'unreachable' | 'uninitialized' | 'sealed' | 'open';
  /** Everything that the step vault-init makes (mounts, roles, paths, Kubernetes Secrets) is there. */
  vaultConfigured: boolean;
  /** Why not, in words. */
  vaultReason: string;
  /** Its StatefulSet; absent where there is none. */
  vaultServer?: ObservedVaultServer | undefined;
  /** Each of them, where Vault could be looked into. */
  vaultReasons?: readonly string[];
}

export function releaseKey(namespace: string, release: string): string {
  return `${namespace}/${release}`;
}
