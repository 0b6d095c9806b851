/**
 * A plan that somebody looked at, kept in a file: what was to be done, on which world. Holds no secrets and no
 * manifests.
 */
import { z } from 'zod';
import type { Selection } from '../../contract/operations/deploy.ts';
import { type OperationPlan, OPERATIONS } from '../../contract/operations/plan.ts';
import type { PlatformChanges } from './types.ts';

export const PLAN_FILE_FORMAT = 'ananta-plan';
export const PLAN_FILE_VERSION = 1;

const selectionSchema = z.strictObject({
  only: z.array(z.string()).optional(),
  phases: z.array(z.number().int()).optional(),
  from: z.array(z.string()).optional(),
  skip: z.array(z.string()).optional(),
  withDependencies: z.boolean().optional(),
  rerun: z.array(z.string()).optional(),
});

export const planFileSchema = z.strictObject({
  format: z.literal(PLAN_FILE_FORMAT),
  version: z.literal(PLAN_FILE_VERSION),
  /** Absent: a deployment. */
  operation: z.enum(OPERATIONS).optional(),
  environment: z.string(),
  /** Absent: the cluster was still to be made. */
  clusterUid: z.string().optional(),
  /** Of the plan: 16 hex characters over all digests, actions and revisions. */
  digest: z.string().regex(/^[0-9a-f]{16}$/),
  imageTags: z.record(z.string(), z.string()),
  selection: selectionSchema.optional(),
  /** With a rollback: the version it leads back to, and whether migrations that cannot be taken back are crossed. */
  toVersion: z.number().int().positive().optional(),
  pastNoReturn: z.boolean().optional(),
  /** With a destruction. */
  deleteData: z.boolean().optional(),
  /** With an adoption: whose place is taken over. */
  service: z.string().optional(),
  /** With a rotation: which secrets. */
  secrets: z.array(z.strictObject({ path: z.string(), key: z.string().optional() })).optional(),
  olderThanSeconds: z.number().positive().optional(),
  steps: z.array(
    z.strictObject({
      service: z.string(),
      name: z.string(),
      namespace: z.string(),
      action: z.string(),
      digest: z.string(),
      revision: z.number().int().optional(),
    }),
  ),
  /** Every step that the operation does; the digest is over them. Absent in files of earlier versions. */
  all: z
    .array(z.looseObject({ id: z.string(), kind: z.string(), reason: z.string(), dependsOn: z.array(z.string()) }))
    .optional(),
  /** ISO 8601. */
  createdAt: z.string(),
  requestedBy: z.string(),
});
export type PlanFile = z.infer<typeof planFileSchema>;

export interface PlanFileOrigin {
  imageTags: Record<string, string>;
  selection?: Selection;
  createdAt: string;
  requestedBy: string;
}

export function planFileOf(
  changes: Pick<PlatformChanges, 'environment' | 'clusterUid' | 'digest' | 'services' | 'steps'>,
  { imageTags, selection, createdAt, requestedBy }: PlanFileOrigin,
): PlanFile {
  const { environment, clusterUid, digest, services } = changes;
  return {
    format: PLAN_FILE_FORMAT,
    version: PLAN_FILE_VERSION,
    environment,
    ...(clusterUid === undefined ? {} : { clusterUid }),
    digest,
    imageTags,
    ...(selection === undefined ? {} : { selection }),
    steps: services.flatMap((service) =>
      service.releases.map(({ name, namespace, action, digest: content, revision }) => ({
        service: service.name,
        name,
        namespace,
        action,
        digest: content,
        ...(revision === undefined ? {} : { revision }),
      })),
    ),
    ...(changes.steps === undefined ? {} : { all: changes.steps.map((step) => ({ ...step })) }),
    createdAt,
    requestedBy,
  };
}

export type PlannedRequest = Pick<
  PlanFile,
  'toVersion' | 'pastNoReturn' | 'deleteData' | 'service' | 'secrets' | 'olderThanSeconds'
>;

/** Of any operation but a deployment. @param digest that the operation is bound to */
export function operationPlanFileOf(
  { operation, environment, services, steps = [] }: OperationPlan,
  request: PlannedRequest,
  made: { createdAt: string; requestedBy: string; clusterUid: string; digest: string },
): PlanFile {
  return {
    format: PLAN_FILE_FORMAT,
    version: PLAN_FILE_VERSION,
    operation,
    environment,
    imageTags: {},
    ...request,
    steps: services.flatMap((service) =>
      service.steps.map(({ name, namespace, action, digest, revision }) => ({
        service: service.name,
        name,
        namespace,
        action,
        digest,
        ...(revision === undefined ? {} : { revision }),
      })),
    ),
    all: steps.map((step) => ({ ...step })),
    ...made,
  };
}

type PlannedWork = readonly {
  name: string;
  steps: readonly { name: string; namespace: string; action: string; digest: string; revision?: number }[];
}[];

/**
 * What is not as it was when the plan was made: one line per release, services by name; empty when nothing has changed.
 */
export function changesSince(file: Pick<PlanFile, 'steps'>, services: PlannedWork): string[] {
  const key = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;
  const now = new Map(
    services.flatMap((service) => service.steps.map((step) => [key(step), { ...step, service: service.name }])),
  );
  const then = new Map(file.steps.map((step) => [key(step), step]));
  return [...new Set([...then.keys(), ...now.keys()])].flatMap((id) => {
    const [planned, found] = [then.get(id), now.get(id)];
    const label = named(planned ?? found);
    if (planned === undefined) return [`${label}: the catalog has it only now`];
    if (found === undefined) return [`${label}: the catalog does not have it any more`];
    const reasons = [
      ...(planned.digest === found.digest
        ? []
        : [`chart, values or image were edited (${planned.digest}, now ${found.digest})`]),
      ...(planned.revision === found.revision
        ? []
        : [`${revisionText(planned.revision)} then, ${revisionText(found.revision)} now`]),
      ...(planned.action === found.action ? [] : [`planned as ${planned.action}, now ${found.action}`]),
    ];
    return reasons.length === 0 ? [] : [`${label}: ${reasons.join('; ')}`];
  });
}

function named(step: { service: string; name: string } | undefined): string {
  if (step === undefined) return '';
  return step.name === step.service ? step.service : `${step.service} (${step.name})`;
}

function revisionText(revision: number | undefined): string {
  return revision === undefined ? 'no release' : `revision ${revision}`;
}
