import type { Catalog } from '../../catalog/schema.ts';
import { digestOf } from '../digest.ts';
import { declaredValues } from './declared-values.ts';
import { wantedSecrets } from './kubernetes-secrets.ts';
import { deployerRole, foundationPolicies, serviceRoles } from './policies.ts';

/** Over everything that Vault is to hold, and the Kubernetes Secrets that are made from it. */
export function vaultDigest(catalog: Catalog): string {
  return digestOf([
    declaredValues(catalog),
    wantedSecrets(catalog),
    serviceRoles(catalog),
    deployerRole(),
    foundationPolicies(catalog),
  ]);
}
