/** Who may read what in Vault: policies and roles, as text and data. */
import type { Catalog, Service } from '../catalog/schema.ts';
import { DEPLOYER_SERVICE_ACCOUNT, VAULT } from '../contract/names.ts';

export interface VaultRole {
  /** Of the role below auth/kubernetes/role/, and of its policy. */
  name: string;
  /** HCL. */
  policy: string;
  serviceAccount: string;
  namespace: string;
}

/** Role and policy of a service. */
export function vaultRoleName(service: string): string {
  return `ananta-${service}`;
}

/**
 * Paths that a service may read in Vault: those it reads there itself, and those of which it gets every key anyway.
 * A path of which it may see only some keys is left out, because KV knows no policy per key.
 */
export function readablePaths(service: Service): string[] {
  return service.secrets.filter((use) => use.delivery === 'login' || use.keys === undefined).map(({ path }) => path);
}

/** One role per service that may read anything, bound to the service's own service account. */
export function serviceRoles(catalog: Catalog): VaultRole[] {
  return catalog.services.flatMap((service) => {
    const paths = readablePaths(service);
    if (paths.length === 0) return [];
    return [
      {
        name: vaultRoleName(service.name),
        policy: readPolicy(service.name, paths),
        serviceAccount: service.name,
        namespace: service.namespace,
      },
    ];
  });
}

/** The deployer: writes what it declares, and cannot widen its own role. */
export function deployerRole(): VaultRole {
  const { kvMount, authMount, deployerRole: name } = VAULT;
  const rules: [string, string[]][] = [
    [`${kvMount}/data/*`, ['create', 'read', 'update']],
    [`${kvMount}/metadata/*`, ['list', 'read']],
    // What was deleted softly comes back as it was.
    [`${kvMount}/undelete/*`, ['update']],
    [`${kvMount}/config`, ['read']],
    ['sys/mounts', ['read']],
    ['sys/auth', ['read']],
    [`auth/${authMount}/config`, ['create', 'read', 'update']],
    [`auth/${authMount}/role`, ['list']],
    // Others are only looked at.
    [`auth/${authMount}/role/*`, ['read']],
    ['sys/policies/acl/*', ['read']],
    [`auth/${authMount}/role/ananta-*`, ['create', 'read', 'update']],
    ['sys/policies/acl', ['list']],
    ['sys/policies/acl/ananta-*', ['create', 'read', 'update']],
    // Before its pod is replaced the active server hands over; Vault wants `sudo` for that.
    ['sys/step-down', ['update', 'sudo']],
    // The more specific path wins.
    [`auth/${authMount}/role/${name}`, ['read']],
    [`sys/policies/acl/${name}`, ['read']],
  ];
  return {
    name,
    policy: ['# ananta-deploy', ...rules.map(([path, capabilities]) => rule(path, capabilities))].join('\n'),
    serviceAccount: DEPLOYER_SERVICE_ACCOUNT.name,
    namespace: DEPLOYER_SERVICE_ACCOUNT.namespace,
  };
}

function readPolicy(service: string, paths: readonly string[]): string {
  return [`# ${service}`, ...paths.map((path) => rule(`${VAULT.kvMount}/data/${path}`, ['read']))].join('\n');
}

function rule(path: string, capabilities: readonly string[]): string {
  return `path "${path}" { capabilities = [${capabilities.map((capability) => `"${capability}"`).join(', ')}] }`;
}
