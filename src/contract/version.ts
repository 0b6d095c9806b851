/** A platform version: what a successful operation left in the cluster. Kept there, without secrets. */
import { z } from 'zod';
import { operationActSchema } from './audit.ts';
import { OPERATIONS } from './operations/plan.ts';

export const versionedReleaseSchema = z.object({
  service: z.string(),
  name: z.string(),
  namespace: z.string(),
  job: z.boolean(),
  /** Revision in Helm's history. */
  revision: z.number().int(),
  /** 16 hex characters over chart, values and image: the same digest is the same content, whatever its revision. */
  digest: z.string(),
  /**
   * `digest` is over what Helm recorded; `content` over what was installed from, the same in every checkout and cache
   * that holds it: of a chart's folder, or `sha256:…` of its archive.
   */
  chart: z.object({
    name: z.string(),
    version: z.string(),
    digest: z.string().optional(),
    content: z.string().optional(),
  }),
  /** As the manifest names it; with the digest that a node reported where there was one. */
  images: z.array(z.object({ image: z.string(), digest: z.string().optional() })),
  /** Migrations that the release carries, in order. */
  migrations: z.array(z.object({ id: z.string(), noReturn: z.string().optional() })).optional(),
});
export type VersionedRelease = z.infer<typeof versionedReleaseSchema>;

/** The version of another environment whose content was promoted. */
export const promotedFromSchema = z.object({
  environment: z.string(),
  version: z.number().int().positive(),
  clusterUid: z.string(),
});
export type PromotedFrom = z.infer<typeof promotedFromSchema>;

export const platformVersionSchema = z.object({
  version: z.number().int().positive(),
  environment: z.string(),
  clusterUid: z.string(),
  operation: z.enum(OPERATIONS),
  /** ISO 8601. */
  at: z.string(),
  requestedBy: z.string(),
  planDigest: z.string(),
  workflowId: z.string(),
  runId: z.string(),
  seconds: z.number(),
  /** With a rollback: the version whose content this one has again. */
  restores: z.number().int().optional(),
  promotedFrom: promotedFromSchema.optional(),
  /** Tags given on the command line. */
  imageTags: z.record(z.string(), z.string()),
  /** What people decided while it was made, such as what they skipped. */
  acts: z.array(operationActSchema).optional(),
  services: z.array(
    z.object({ name: z.string(), phase: z.number(), state: z.string(), seconds: z.number(), changed: z.boolean() }),
  ),
  releases: z.array(versionedReleaseSchema),
});
export type PlatformVersion = z.infer<typeof platformVersionSchema>;
