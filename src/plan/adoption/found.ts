/**
 * What somebody else has brought up, however that was written down: by Terraform's state, by Helm's records, by Argo
 * CD's Applications. Nothing in it is secret: values of secrets are left out where they are read.
 */
import type { Tree } from '../../environment/files/merge.ts';

export interface FoundRelease {
  namespace: string;
  name: string;
  chart: { name: string; version: string };
  /** Given by whoever installed it, without what is secret. */
  values: Tree;
  /** Values that were left out since they are secret, or sound so: `auth.postgresPassword`. */
  secretValues: string[];
  /** As Helm or Argo CD calls it: `deployed`. */
  status: string;
  by: 'terraform' | 'helm' | 'argocd';
  /** Where it is written down: `helm_release.postgres`, `Helm's record`. */
  source: string;
  /** What the chart says by itself; absent: not known here. */
  defaults?: Tree;
  /** Names of the Secrets that its chart makes; absent: not known here. */
  madeSecrets?: string[];
  /** Argo CD sets it back by itself. */
  synchronises?: boolean;
}

/** Keys of a Kubernetes Secret; never a value. */
export interface FoundSecret {
  namespace: string;
  name: string;
  keys: string[];
  source: string;
}

interface FoundVault {
  /** Of the secrets engines, without a trailing slash. */
  mounts: { path: string; type: string }[];
  logins: { path: string; type: string }[];
  policies: string[];
  roles: { mount: string; name: string }[];
  /** Keys alone. */
  secrets: { path: string; keys: string[] }[];
}

/** What is not taken over, and why. */
export interface LeftAlone {
  what: string;
  why: string;
}

export interface Found {
  /** `terraform.tfstate (Terraform 1.9.8, serial 12)`. */
  origin: string;
  releases: FoundRelease[];
  secrets: FoundSecret[];
  vault: FoundVault;
  others: LeftAlone[];
}

export const nothingInVault = (): FoundVault => ({ mounts: [], logins: [], policies: [], roles: [], secrets: [] });
