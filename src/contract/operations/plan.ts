/** The plan of an operation: what will be done to each service and why. Recorded in the workflow's history. */
import type { PlannedCheck } from '../checks.ts';
import type { PolicyVerdict } from '../admission/policy.ts';
import type { Growth } from '../growing.ts';
import type { NotifyEvent } from '../notify-events.ts';
import type { AfterFailure } from './steering.ts';
import type { OperationStep } from './steps.ts';

/**
 * What holds the lock of an environment and cluster. Each is a workflow type of its own, all under the one id that is
 * the lock.
 */
export const OPERATIONS = ['deploy', 'rollback', 'repair', 'destroy', 'adopt', 'rotate'] as const;
export type Operation = (typeof OPERATIONS)[number];

export type PlannedAction =
  /** Nothing there yet. */
  | 'install'
  /** Chart, values or image differ from what the release was made from. */
  | 'upgrade'
  /** The last attempt failed or was interrupted: apply again. */
  | 'retry'
  /** As wanted; its pods are replaced, because a Secret that they read has changed. */
  | 'restart'
  /** Applied as wanted, not healthy yet: wait for it. */
  | 'verify'
  /** Back to an earlier revision of the release, `toRevision`. */
  | 'rollback'
  /**
   * What the release applied was changed or lost: applied again from Helm's own record, `toRevision` being the newest.
   */
  | 'repair'
  /** Uninstalled. */
  | 'remove'
  /** Not selected: left as it is; what depends on it does not wait for it. */
  | 'excluded'
  /** Applied as wanted and healthy. */
  | 'unchanged';

/** A Helm release, or the work on Vault that makes it usable: initialise, unseal, configure, write secrets. */
export type PlannedKind = 'release' | 'vault-init';

/** Plans and histories of earlier versions call it `vault-bootstrap`. */
export function isVaultInit({ kind }: { kind: string }): boolean {
  return kind === 'vault-init' || kind === 'vault-bootstrap';
}

export interface PlannedStep {
  kind: PlannedKind;
  /** Helm release name; for the main step the service's name. */
  name: string;
  namespace: string;
  /** True where the release is a Job that has to complete. */
  job: boolean;
  action: PlannedAction;
  reason: string;
  /** Digest of chart, values and image: 16 hex characters; execution refuses to apply anything else. */
  digest: string;
  /** Newest revision of the release when the plan was made; absent: there was none. */
  revision?: number;
  /** With `rollback` and `repair`: the revision in Helm's history to apply. */
  toRevision?: number;
  /** The database (`server/name`) that is dumped first, and the migrations that cannot be taken back. */
  checkpoint?: { database: string; before: string[] };
  /** Its claims grow first, and StatefulSets are replaced without their pods for it. */
  grow?: Growth;
  /** Servers of Vault that leave its raft cluster first, since fewer are wanted. */
  leaving?: string[];
  /** A Job that has completed is run again, because somebody has asked for it. */
  rerun?: true;
  /** Secrets whose value has changed since its pods started, or may change before its turn comes. */
  restart?: string[];
}

export interface PlannedService {
  number: number;
  phase: number;
  name: string;
  namespace: string;
  /** What has to have ended before it starts; on the way back (rollback, destroy) what depends on it. */
  dependsOn: string[];
  /** Those of them that it can do without, where somebody skips them; absent: none. */
  optionalDependencies?: string[];
  /** The most invasive action of its steps. */
  action: PlannedAction;
  reason: string;
  steps: PlannedStep[];
  /** Seconds of the longest path from the start of this service to the end of the graph: who has more goes first. */
  remainingSeconds: number;
  /** Seconds until waiting for health is given up. */
  healthTimeoutSeconds: number;
}

export interface OperationPlan {
  operation: Operation;
  environment: string;
  /**
   * 16 hex characters over all steps' digests, actions and current revisions: the same digest means the same work on
   * the same world.
   */
  digest: string;
  /** Longest path through the graph, from declared start-up times. */
  criticalPathSeconds: number;
  criticalPath: string[];
  services: PlannedService[];
  /** All that the operation does, in an order in which it can be done; absent in plans of earlier versions. */
  steps?: OperationStep[];
  /** True where namespaces, Vault's configuration or Secrets have to be touched. */
  prerequisites: boolean;
  /** The same in plans of earlier versions. */
  groundwork?: boolean;
  /** Simulated pods: for people to know. */
  simulated: boolean;
  /** Titles of the phases by number. */
  phases: { number: number; title: string }[];
  /** Seconds after which one Helm process is ended: the activity's own timeout is longer. */
  helmTimeoutSeconds: number;
  /**
   * What follows when a service fails: no further service starts, independent branches go on, or what this run changed
   * is rolled back; or somebody is asked.
   */
  onFailure: 'stop' | 'continue' | 'rollback' | 'ask';
  /** With `ask`: for how many seconds, and what follows when nobody has answered by then. */
  ask?: { seconds: number; then: AfterFailure };
  /** What has to be true once all services are healthy; absent where the catalog declares nothing. */
  checks?: PlannedCheck[];
  /** The platform version it leads back to. */
  toVersion?: number;
  /** With a rollback: services that are not well now and are about to be touched. Their evidence is collected first. */
  unhealthy?: { service: string; reason: string }[];
  /** What the environment's rules say of it; absent where it has none. */
  verdicts?: PolicyVerdict[];
  /** Events of which anybody outside is notified; absent: nobody is named, or a plan of an earlier version. */
  notifications?: NotifyEvent[];
  /** What a person should know of the plan as a whole; one line each, no secrets. */
  notes?: string[];
}
