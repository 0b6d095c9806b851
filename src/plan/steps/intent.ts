import type { DriftFinding } from '../../contract/drift.ts';
import type { SecretName } from '../../contract/operations/secret-name.ts';

/** The request: what a plan needs to know beside the decisions on releases. */
export type Intent =
  | { verb: 'deploy' }
  | { verb: 'rollback' }
  /** Takes back what a failed deployment has changed, as its child workflow. */
  | { verb: 'undo' }
  | { verb: 'repair'; findings: readonly Pick<DriftFinding, 'key' | 'repair' | 'area' | 'valueDigest'>[] }
  | { verb: 'destroy'; deleteData: boolean }
  /**
   * Services in the order in which they are adopted. Where there are several, each has the digest of the plan that was
   * shown for it.
   */
  | { verb: 'adopt'; services: readonly { service: string; digest?: string }[]; undo?: true }
  /** Each secret with the service whose server stores it. */
  | { verb: 'rotate'; secrets: readonly (SecretName & { server: string })[] };
