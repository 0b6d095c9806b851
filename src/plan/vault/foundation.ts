/**
 * What Vault has to be set to before anybody can use it, as fields: written by the step vault-init, compared by the
 * drift check.
 */
import { VAULT } from '../../contract/names.ts';
import type { VaultRole } from './policies.ts';

export const SERVICE_TTL_SECONDS = 3600;
export const DEPLOYER_TTL_SECONDS = 900;

/** Settings of the mount at `secret/`, tuning included. What Vault calls 0 is its default. */
export const KV_MOUNT: Readonly<Record<string, unknown>> = {
  type: 'kv',
  'options.version': '2',
  'config.default_lease_ttl': 0,
  'config.max_lease_ttl': 0,
  'config.listing_visibility': '',
};

/** Settings of KV itself: no version is deleted by time, ten versions are kept. */
export const KV_CONFIG: Readonly<Record<string, unknown>> = {
  max_versions: 0,
  cas_required: false,
  delete_version_after: '0s',
};

/** Settings of the auth method's mount. */
export const LOGIN_MOUNT: Readonly<Record<string, unknown>> = {
  'config.default_lease_ttl': 0,
  'config.max_lease_ttl': 0,
  'config.listing_visibility': '',
};

/** Configuration of logins with Kubernetes identities, without the reviewer's token, which cannot be read back. */
export function loginConfig({
  kubernetesHost,
  certificateAuthority,
}: {
  kubernetesHost: string;
  certificateAuthority: string;
}): Record<string, unknown> {
  return {
    kubernetes_host: kubernetesHost,
    kubernetes_ca_cert: certificateAuthority,
    disable_local_ca_jwt: true,
    // The API server checks each token itself.
    issuer: '',
    disable_iss_validation: true,
    pem_keys: [],
  };
}

/** A role as it is written. What would widen it is named, too, so that it is put back. */
export function roleBody(
  { policies, serviceAccount, namespace }: VaultRole,
  ttlSeconds: number,
): Record<string, unknown> {
  return {
    bound_service_account_names: [serviceAccount],
    bound_service_account_namespaces: [namespace],
    bound_service_account_namespace_selector: '',
    audience: VAULT.audience,
    token_policies: [...policies],
    token_ttl: ttlSeconds,
    alias_name_source: 'serviceaccount_uid',
    token_max_ttl: 0,
    token_explicit_max_ttl: 0,
    token_period: 0,
    token_num_uses: 0,
    token_no_default_policy: false,
    token_bound_cidrs: [],
    token_type: 'default',
  };
}
