/** Claims and StatefulSets as far as their size goes, of live and of rendered objects alike. Pure. */
import { z } from 'zod';
import { parseQuantity } from '../../environment/fields/formats/quantity.ts';
import type { Tree } from '../../environment/files/merge.ts';
import { type Condition, conditions } from '../health/types.ts';

const amount = z.union([z.string(), z.number()]).transform(String);
const claimSpec = z.looseObject({
  accessModes: z.array(z.string()).nullish(),
  storageClassName: z.string().nullish(),
  volumeMode: z.string().nullish(),
  volumeName: z.string().nullish(),
  resources: z.object({ requests: z.object({ storage: amount }) }),
});
const labels = z.record(z.string(), z.string()).nullish();
const claimSchema = z.object({
  metadata: z.object({ name: z.string(), labels }),
  spec: claimSpec,
  status: z
    .object({
      phase: z.string().nullish(),
      capacity: z.object({ storage: amount.nullish() }).nullish(),
      allocatedResourceStatuses: z.object({ storage: z.string().nullish() }).nullish(),
      conditions,
    })
    .prefault({}),
});
const setSchema = z.object({
  metadata: z.object({ name: z.string(), annotations: labels }),
  spec: z.object({
    serviceName: z.string().nullish(),
    podManagementPolicy: z.string().nullish(),
    selector: z.looseObject({ matchLabels: labels }).nullish(),
    volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }), spec: claimSpec })).min(1),
  }),
});

export interface SeenClaim {
  name: string;
  /** What it asks for: `10Gi`. */
  request: string;
  /** What its file system has; absent before it is bound. */
  capacity?: string;
  bound: boolean;
  storageClass?: string;
  /** How far a resize is, in Kubernetes' words: `NodeResizePending`. */
  resizing?: string;
  conditions: Condition[];
  labels: Record<string, string>;
}

export interface SeenSet {
  name: string;
  /** By the claim template's name. */
  sizes: Map<string, string>;
  /** What else of it cannot be changed in place; the same for what means the same. */
  fixed: Tree;
  annotations: Record<string, string>;
}

/** @returns undefined for what is no claim with a size */
export function seenClaim(object: unknown): SeenClaim | undefined {
  const parsed = claimSchema.safeParse(object);
  if (!parsed.success) return undefined;
  const { metadata, spec, status } = parsed.data;
  const { capacity, allocatedResourceStatuses: resizing } = status;
  return {
    name: metadata.name,
    request: spec.resources.requests.storage,
    bound: status.phase === 'Bound',
    conditions: status.conditions,
    labels: metadata.labels ?? {},
    ...(capacity?.storage ? { capacity: capacity.storage } : {}),
    ...(spec.storageClassName ? { storageClass: spec.storageClassName } : {}),
    ...(resizing?.storage ? { resizing: resizing.storage } : {}),
  };
}

/** @returns undefined for a StatefulSet without claim templates, and for what is none */
export function seenSet(object: unknown): SeenSet | undefined {
  const parsed = setSchema.safeParse(object);
  if (!parsed.success) return undefined;
  const { metadata, spec } = parsed.data;
  return {
    name: metadata.name,
    sizes: new Map(
      spec.volumeClaimTemplates.map((template) => [template.metadata.name, template.spec.resources.requests.storage]),
    ),
    fixed: {
      serviceName: spec.serviceName ?? '',
      podManagementPolicy: spec.podManagementPolicy ?? 'OrderedReady',
      selector: spec.selector?.matchLabels ?? {},
      volumeClaimTemplates: Object.fromEntries(
        spec.volumeClaimTemplates.map((template) => [
          template.metadata.name,
          {
            accessModes: (template.spec.accessModes ?? []).join(),
            storageClassName: template.spec.storageClassName ?? 'the default',
            volumeMode: template.spec.volumeMode ?? 'Filesystem',
          },
        ]),
      ),
    },
    annotations: metadata.annotations ?? {},
  };
}

/** @returns below, at or above zero, as the first is less than, as much as or more than the second */
export function compareSizes(a: string, b: string): number {
  const [first, second] = [parseQuantity(a) ?? 0n, parseQuantity(b) ?? 0n];
  return first < second ? -1 : first > second ? 1 : 0;
}

/** Bytes, rounded up. */
export function bytesOf(size: string): bigint {
  const unit = 10n ** 9n;
  return ((parseQuantity(size) ?? 0n) + unit - 1n) / unit;
}
