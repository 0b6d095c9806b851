/** Fields that several parts of the catalog have in common. */
import { z } from 'zod';

/** DNS-1123 label: names of services, releases, namespaces. */
export const nameSchema = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$/, 'must be a DNS-1123 label of at most 53 characters');

/** An image: the platform's own ones get the environment's prefix in front. */
export const imageSchema = z.strictObject({
  /** With `own: true` the name below the environment's prefix, otherwise the full repository. */
  repository: z.string(),
  tag: z.string(),
  own: z.boolean().default(false),
});
