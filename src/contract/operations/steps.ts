/**
 * The steps of an operation's plan: everything that it does, each with what it waits for and why. Workflows carry them
 * out by one table from kind to activity (src/workflows/steps/table.ts).
 */
import type { GateRule } from '../admission/approvals.ts';
import type { FailureType } from '../failures.ts';
import type { ClaimGrowth, SetReplacement } from '../growing.ts';
import type { SecretName } from './secret-name.ts';

export const STEP_KINDS = [
  /** The plan keeps the environment's rules, or is refused. */
  'policy',
  /** Waits for the end of a freeze, or is refused meanwhile: before anything else is done. */
  'freeze',
  /** Waits for approvals of people, bound to this plan. */
  'gate',
  /** Collects what pods of an unhealthy service show, before it is touched. */
  'evidence',
  /** Namespaces of the platform, with their labels. */
  'namespace',
  /** Initialises Vault where nobody has, and unseals it. */
  'vault-open',
  /** Mounts, login, policies and roles. */
  'vault-configure',
  /** Writes the secrets that are missing. */
  'vault-seed',
  /** Kubernetes Secrets from Vault. */
  'secret-sync',
  /** Fields and definitions that no release puts right. */
  'field-patch',
  /** A release of somebody else is marked as ours. */
  'adopt',
  /** The next value of a secret is kept in Vault, then made known to its server, beside the one that is in use. */
  'rotate-add',
  /** Vault and the Kubernetes Secrets hold it. */
  'rotate-write',
  /** Pods that have started with the former value are replaced. */
  'rotate-restart',
  /** Every reader has it, and its server takes it. */
  'rotate-verify',
  /** Its server refuses the former one. */
  'rotate-revoke',
  /** The database is dumped, before a migration that cannot be taken back. */
  'checkpoint',
  /** Claims ask for more, and their file systems have it. */
  'volume-expand',
  /** A StatefulSet is deleted without its pods, so that its claim templates can be others. */
  'statefulset-replace',
  /** Servers of Vault leave its raft cluster, before their pods go. */
  'raft-remove-peer',
  /** `helm upgrade --install` from the checkout. */
  'apply',
  /** The same for a release that is a Job. */
  'job',
  /** A revision in Helm's history is applied again. */
  'rollback',
  'uninstall',
  /** Waits until the workloads are healthy, and the service answers. */
  'verify',
  /** All steps of services, by phases: what stands before waits for nothing of them, what comes after for all. */
  'services',
  /** Something has to be true of the platform, once its services are healthy. */
  'check',
  /** What no release holds any more. */
  'prune',
  /** The plan that takes back what this run has changed, carried out under its lock. */
  'undo',
  /** Releases whose Helm was interrupted are made ready for the next operation. */
  'unlock',
  /** Notifies whom the environment names, beside everything else. */
  'notify',
  /** The schedule of drift runs is as the environment says. */
  'schedule',
  'unschedule',
  /** What the cluster now holds becomes a platform version. */
  'version',
  /** Who did what, and how it ended. */
  'audit',
] as const;
export type StepKind = (typeof STEP_KINDS)[number];

export interface OperationStep {
  /** Unique in the plan, and the same for the same work in every plan: `apply/apps/web`, `vault-open`. */
  id: string;
  kind: StepKind;
  /** Why, in one line. */
  reason: string;
  /** Ids of steps that have to have ended well. */
  dependsOn: string[];
  /** Ids of steps that have to have ended, however. */
  after?: string[];
  /** Service that it is about. */
  service?: string;
  /** `<namespace>/<name>` of the release that it is about. */
  release?: string;
  /** Check that it makes, of that service. */
  check?: string;
  /** Over the definition of the check; with `adopt` of several, over what was shown of the service. */
  digest?: string;
  /** Phase that carries it out; absent: the operation itself. */
  phase?: number;
  /** Only where a service or a check has failed. */
  onFailure?: true;
  /** After the outcome is known, and then whatever comes: in which outcome. Never cancelled. */
  finally?: 'always' | 'succeeded' | 'failed' | 'interrupted';
  /** Its failure is not the operation's. */
  optional?: true;
  /** Failures that keep nothing else from being done. */
  tolerates?: FailureType[];
  /** With `notify`, where the event is another than the outcome's. */
  event?: 'start';
  /** With `gate`. */
  gate?: GateRule;
  /** With `rotate-*`: the secret that it is about, by Vault path and key. */
  secret?: SecretName;
  /** With `checkpoint`: `server/name` of the database, and the migrations that it is taken for. */
  checkpoint?: { database: string; before: string[] };
  /** With `volume-expand`: claims of the release, what each has and what it gets. */
  claims?: ClaimGrowth[];
  /** With `statefulset-replace`: StatefulSets of the release. */
  sets?: SetReplacement[];
  /** With `raft-remove-peer`: names of the servers, which are those of their pods. */
  leaving?: string[];
  /** With `adopt`: what was taken over is given back. */
  undo?: true;
  /** With `prune`: volumes, and all that Vault holds, as well. */
  deleteData?: true;
}
