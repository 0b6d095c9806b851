/** What `ananta plan` shows: per service, release, object and field. Holds no secret values. */
import type { PlannedCheck } from '../../contract/checks.ts';
import type { OperationStep } from '../../contract/operations/steps.ts';
import type { PolicyVerdict } from '../../contract/admission/policy.ts';
import type { PlannedAction, PlannedKind } from '../../contract/operations/plan.ts';

/** One field of an object, both sides as text. */
export interface FieldChange {
  /** `spec.replicas`, `spec.template.spec.containers[name=app].image`. */
  path: string;
  /** Absent: it is not there now. */
  from?: string;
  /** Absent: it goes away. */
  to?: string;
}

export type ObjectAction =
  | 'create'
  | 'update'
  /** Another object takes its place, since a field cannot be changed. */
  | 'replace'
  /** It exists, but in no revision of the release. */
  | 'adopt'
  | 'delete';

export interface ObjectChange {
  action: ObjectAction;
  kind: string;
  /** Absent for what belongs to the cluster as a whole. */
  namespace?: string;
  /** With `replace` by another name: `old → new`. */
  name: string;
  fields: FieldChange[];
  /** Every single value of it that changes, also of what is made anew. Only where rules ask for it, never printed. */
  leaves?: FieldChange[];
  /** With `replace`: the fields that cannot be changed. */
  immutable?: string[];
  /** Why a deployment would stop here: one line. */
  blocked?: string;
  /** What a person should know: one line. */
  note?: string;
}

export interface ReleaseChange {
  name: string;
  namespace: string;
  kind: PlannedKind;
  action: PlannedAction;
  reason: string;
  /** Of chart, values and image: 16 hex characters. */
  digest: string;
  /** Newest one in the cluster. */
  revision?: number;
  /** Only of releases that are applied; those that do not change are left out. */
  objects: ObjectChange[];
  /** Why objects are not listed: one line. */
  note?: string;
}

export const SERVICE_ACTIONS = [
  /** Something of it cannot be changed in place. */
  'replace',
  /** Objects of it are there, its release is not. */
  'adopt',
  'create',
  'upgrade',
  /** Applied again: the last attempt failed, or what it had applied is gone. */
  'retry',
  /** Its pods are replaced, because a Secret that they read has changed. */
  'restart',
  /** Nothing is applied; it is waited for until it is healthy. */
  'verify',
  /** Left as it is. */
  'skip',
] as const;
export type ServiceAction = (typeof SERVICE_ACTIONS)[number];

export interface ServiceChange {
  number: number;
  phase: number;
  name: string;
  namespace: string;
  dependsOn: string[];
  action: ServiceAction;
  reason: string;
  releases: ReleaseChange[];
  /** Until it is healthy once it may start; 0 for what is left as it is. */
  expectedSeconds: number;
  /** Whether that was measured in the cluster's past versions, or is the catalog's. */
  expectedFrom: 'past' | 'declared';
}

/** A Helm release of ours that the catalog does not have (any more). Nobody touches it. */
export interface OrphanChange {
  name: string;
  namespace: string;
  /** That it belonged to. */
  service?: string;
  revision: number;
}

/** Namespaces, Vault and Secrets: what a deployment does beside its releases. */
export interface PrerequisiteChange {
  action: 'create' | 'update';
  what: string;
  why: string;
}

export interface Expected {
  /** Longest path through what would be done. */
  seconds: number;
  path: string[];
  /** Services whose time was measured here before, of those that would be touched. */
  measured: number;
  touched: number;
}

export interface PlatformChanges {
  environment: string;
  /** Absent where the cluster is still to be made. */
  clusterUid?: string;
  /** Of the plan that a deployment would make now. */
  digest: string;
  changes: boolean;
  services: ServiceChange[];
  orphans: OrphanChange[];
  prerequisites: PrerequisiteChange[];
  expected: Expected;
  simulated: boolean;
  phases: { number: number; title: string }[];
  /** One line each. */
  notes: string[];
  /** What has to be true after the last service; absent where the catalog declares nothing. */
  checks?: PlannedCheck[];
  /** What the environment's rules say of it; absent where it has none. */
  verdicts?: PolicyVerdict[];
  /** Every step that the deployment would do, beside what it would change. */
  steps?: OperationStep[];
}
