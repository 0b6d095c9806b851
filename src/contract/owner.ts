/**
 * Whose cluster it is, as the cluster itself keeps it: one record, read by every command and every step that changes
 * something.
 */
import { z } from 'zod';
import { clusterIdentitySchema } from './cluster.ts';

/** ConfigMap in the namespace of the deployer's records, and the key in it. Holds no secret. */
export const OWNER_RECORD = { name: 'cluster-owner', key: 'owner.json' } as const;

export const clusterOwnerSchema = z.looseObject({
  environment: z.string().min(1),
  /** Name of the platform that is deployed here. */
  platform: z.string().min(1),
  /** Lifted by `rebind --lift-protection` alone: an environment's file can only add it. */
  protected: z.boolean(),
  /** In which cluster it was written: a copy of the record in another cluster proves nothing there. */
  cluster: clusterIdentitySchema,
  boundBy: z.string(),
  /** ISO 8601. */
  at: z.string(),
  /**
   * Environments whose cluster this was, and that were taken over: what carries their name belongs to the owner now.
   */
  formerly: z.array(z.string()).default([]),
});
export type ClusterOwner = z.infer<typeof clusterOwnerSchema>;
