/**
 * `ananta vault prepare`: the foundation that the deployer lays in its own Vault, as commands for those who run another
 * one.
 */
import type { Catalog } from '../../catalog/schema.ts';
import { VAULT, VAULT_REVIEWER_SERVICE_ACCOUNT } from '../../contract/names.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import type { Environment } from '../../environment/schema.ts';
import { DEPLOYER_TTL_SECONDS, roleBody } from '../../plan/vault/foundation.ts';
import { deployerRole, foundationPolicies, ownPathPolicy, type VaultPolicy } from '../../plan/vault/policies.ts';
import type { VaultOptions } from './vault.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';

export async function vaultPrepare({ config, terminal: { stdout } }: CliContext, { env }: VaultOptions): Promise<void> {
  const environment = await loadEnvironment(env, config);
  const { external } = environment.vault;
  if (external === undefined)
    throw refused(`"${env}" runs a Vault of its own, which a deployment sets up.`, commandLine('deploy', '--env', env));
  printLines(stdout, prepareLines(environment, external.address, await loadPlatform(environment, config)));
}

/** A shell script; what is secret is fetched by it, not printed. */
export function prepareLines(
  { name, vault }: Pick<Environment, 'name' | 'vault'>,
  address: string,
  catalog: Catalog,
): string[] {
  const role = deployerRole();
  const reviewer = VAULT_REVIEWER_SERVICE_ACCOUNT;
  const fields = Object.entries(roleBody(role, DEPLOYER_TTL_SECONDS)).filter(
    ([, value]) => !(value === '' || value === 0 || value === false || (Array.isArray(value) && value.length === 0)),
  );
  return [
    '#!/bin/sh',
    `# Once, as an administrator of the Vault at ${address}, with kubectl for the cluster of "${name}".`,
    'set -eu',
    `export VAULT_ADDR=${address}`,
    'work=$(mktemp -d); trap \'rm -rf "$work"\' EXIT',
    `kubectl -n ${reviewer.namespace} get configmap kube-root-ca.crt -o jsonpath='{.data.ca\\.crt}' > "$work/ca.crt"`,
    `kubectl -n ${reviewer.namespace} get secret ${reviewer.name}-token -o jsonpath='{.data.token}' | base64 -d > "$work/reviewer"`,
    `vault secrets enable -path=${VAULT.kvMount} -version=2 kv`,
    `vault auth enable -path=${VAULT.authMount} kubernetes`,
    `vault write auth/${VAULT.authMount}/config kubernetes_host=${vault.kubernetesHost} kubernetes_ca_cert=@"$work/ca.crt" token_reviewer_jwt=@"$work/reviewer" disable_local_ca_jwt=true`,
    ...foundationPolicies(catalog).flatMap((policy) => policyLines(policy, 'quoted')),
    `accessor=$(vault read -field=accessor sys/auth/${VAULT.authMount})`,
    ...policyLines(ownPathPolicy('$accessor'), 'expanded'),
    `vault write auth/${VAULT.authMount}/role/${role.name} ${fields.map(([field, value]) => `${field}=${Array.isArray(value) ? value.join(',') : String(value)}`).join(' ')}`,
  ];
}

/** @param how `expanded`: the shell puts its variables in */
function policyLines({ name, policy }: VaultPolicy, how: 'quoted' | 'expanded'): string[] {
  return [
    `vault policy write ${name} - <<${how === 'quoted' ? "'POLICY'" : 'POLICY'}`,
    ...policy.split('\n'),
    'POLICY',
  ];
}
