/** Which cluster an environment belongs to: identified by more than an address, which can come to mean another one. */
import { z } from 'zod';

export const clusterIdentitySchema = z.object({
  /** Of the namespace kube-system: no other cluster has it, unless it was made from a copy of this one's data. */
  uid: z.string().min(1),
  /**
   * `sha256:` over the certificates of its authority; absent where it is not published and the system's authorities are
   * used.
   */
  authority: z.string().optional(),
});
export type ClusterIdentity = z.infer<typeof clusterIdentitySchema>;

/** Made by the first deployment of an environment, kept by the engine. */
export const clusterBindingSchema = clusterIdentitySchema.extend({
  environment: z.string(),
  /** Address of its API server at that time, for people. */
  server: z.string(),
  boundBy: z.string(),
  /** ISO 8601. */
  at: z.string(),
});
export type ClusterBinding = z.infer<typeof clusterBindingSchema>;

/** In words, the first difference; undefined where it is the same cluster. */
export function clusterDifference(wanted: ClusterIdentity, found: ClusterIdentity): string | undefined {
  if (wanted.uid !== found.uid) return `kube-system uid ${found.uid} instead of ${wanted.uid}`;
  // An identity that was never recorded contradicts nothing.
  if (wanted.authority === undefined || found.authority === undefined || wanted.authority === found.authority)
    return undefined;
  return `the same kube-system uid ${found.uid}, but the certificate authority ${found.authority} instead of ${wanted.authority}`;
}
