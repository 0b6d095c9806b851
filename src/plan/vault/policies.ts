/** Who may read what in Vault: policies and roles, as text and data. */
import type { Catalog, Service } from '../../catalog/schema.ts';
import { DEPLOYER_SERVICE_ACCOUNT, VAULT } from '../../contract/names.ts';

export interface VaultPolicy {
  name: string;
  /** HCL. */
  policy: string;
}

export interface VaultRole {
  /** Below auth/kubernetes/role/. */
  name: string;
  /** Names of policies. */
  policies: readonly string[];
  serviceAccount: string;
  namespace: string;
}

/** Role of a service. */
export function vaultRoleName(service: string): string {
  return `ananta-${service}`;
}

/** Every policy that a role of a service may have begins with it; none but root writes policies. */
const READS = 'ananta-read-';
/** What a service finds at the path that is named like itself, `secret/<namespace>/<service>`. */
const OWN_PATH = `${READS}own-path`;

/** Policy that opens one path for reading. A dot stands for each slash, which no name of a path has. */
export function pathPolicyName(path: string): string {
  return `${READS}${path.replaceAll('/', '.')}`;
}

/** Paths that a service reads in Vault itself. Whoever gets a Kubernetes Secret made from a path has no login there. */
export function readablePaths(service: Service): string[] {
  return [...new Set(service.secrets.filter(({ delivery }) => delivery === 'login').map(({ path }) => path))];
}

/** One role per service that logs in, bound to the service's own service account. */
export function serviceRoles(catalog: Catalog): VaultRole[] {
  return catalog.services.flatMap((service) => {
    const { name, namespace } = service;
    const policies = readablePaths(service).map((path) =>
      path === `${namespace}/${name}` ? OWN_PATH : pathPolicyName(path),
    );
    return policies.length === 0
      ? []
      : [{ name: vaultRoleName(name), policies: policies.sort(), serviceAccount: name, namespace }];
  });
}

/** One policy per path that a service reads under another name than its own. */
export function pathPolicies(catalog: Catalog): VaultPolicy[] {
  const names = new Set(serviceRoles(catalog).flatMap(({ policies }) => policies));
  return catalog.secretPaths
    .filter(({ path }) => names.has(pathPolicyName(path)))
    .map(({ path }) => ({ name: pathPolicyName(path), policy: rule(`${VAULT.kvMount}/data/${path}`, ['read']) }));
}

/**
 * Opens for each service account the path that is named like it: a service that is added reads its own values without
 * a new policy.
 * @param accessor of the auth method, as Vault names it
 */
export function ownPathPolicy(accessor: string): VaultPolicy {
  const [namespace, name] = ['service_account_namespace', 'service_account_name'].map(
    (field) => `{{identity.entity.aliases.${accessor}.metadata.${field}}}`,
  );
  return { name: OWN_PATH, policy: rule(`${VAULT.kvMount}/data/${namespace}/${name}`, ['read']) };
}

/** Everything that only root writes, except what needs the accessor of the auth method. */
export function foundationPolicies(catalog: Catalog): VaultPolicy[] {
  return [deployerPolicy(), ...pathPolicies(catalog)];
}

/** All of them, by name. @param accessor undefined where the auth method is not there yet */
export function wantedPolicies(catalog: Catalog, accessor: string | undefined): VaultPolicy[] {
  return [...foundationPolicies(catalog), ...(accessor === undefined ? [] : [ownPathPolicy(accessor)])];
}

/** Names of all of them. */
export function policyNames(catalog: Catalog): string[] {
  return [...foundationPolicies(catalog).map(({ name }) => name), OWN_PATH];
}

export function deployerRole(): VaultRole {
  const { name, namespace } = DEPLOYER_SERVICE_ACCOUNT;
  return { name: VAULT.deployerRole, policies: [VAULT.deployerRole], serviceAccount: name, namespace };
}

/**
 * What the deployer may: fill what it declares, and let service accounts read it. It writes no policy, and its roles
 * give none but those that read single paths, so whatever it makes is no stronger than itself.
 */
export function deployerPolicy(): VaultPolicy {
  const { kvMount, authMount, deployerRole: name } = VAULT;
  const role = `auth/${authMount}/role`;
  const rules: string[] = [
    rule(`${kvMount}/data/*`, ['create', 'read', 'update']),
    rule(`${kvMount}/metadata/*`, ['list', 'read']),
    // Versions that were deleted softly can be restored.
    rule(`${kvMount}/undelete/*`, ['update']),
    rule(`${kvMount}/config`, ['read']),
    rule('sys/mounts', ['read']),
    rule('sys/auth', ['read']),
    // Whoever may change this configuration decides which cluster's tokens are accepted.
    rule(`auth/${authMount}/config`, ['read']),
    rule('sys/policies/acl', ['list']),
    rule('sys/policies/acl/*', ['read']),
    rule(role, ['list']),
    // Others are only looked at.
    rule(`${role}/*`, ['read']),
    rule(`${role}/${vaultRoleName('*')}`, ['create', 'read', 'update'], ROLE_PARAMETERS),
    // The more specific path wins. Vault takes names of roles in any case, rules are compared exactly.
    rule(`${role}/${name}`, ['read']),
    ...otherCases(name).map((prefix) => rule(`${role}/${prefix}*`, ['deny'])),
    // Before its pod is replaced the active server hands over; Vault wants `sudo` for that.
    rule('sys/step-down', ['update', 'sudo']),
    // Vault's storage as it is, encrypted: worth nothing without the unseal keys. Putting one back takes root.
    rule('sys/storage/raft/snapshot', ['read']),
  ];
  return { name, policy: ['# ananta-deploy', ...rules].join('\n') };
}

/**
 * Values that a role may be written with. Vault reads a value with a comma as several policies, while the rule compares
 * only its beginning: such a value is denied.
 */
const ROLE_PARAMETERS: Parameters = {
  allowed: {
    bound_service_account_names: [],
    bound_service_account_namespaces: [],
    bound_service_account_namespace_selector: [''],
    audience: [VAULT.audience],
    token_policies: [`${READS}*`],
    alias_name_source: ['serviceaccount_uid'],
    token_ttl: [],
    token_max_ttl: [],
    token_explicit_max_ttl: [],
    token_period: [],
    token_num_uses: [],
    token_no_default_policy: [],
    token_bound_cidrs: [],
    token_type: ['default'],
  },
  denied: { token_policies: ['*,*'] },
};

interface Parameters {
  allowed: Readonly<Record<string, readonly string[]>>;
  denied: Readonly<Record<string, readonly string[]>>;
}

/** Beginnings of all spellings of a name but the one in small letters: `ananta-D`, `ananta-dE`, … */
function otherCases(name: string): string[] {
  return Array.from(name).flatMap((letter, index) =>
    letter === letter.toUpperCase() ? [] : [`${name.slice(0, index)}${letter.toUpperCase()}`],
  );
}

function rule(path: string, capabilities: readonly string[], parameters?: Parameters): string {
  const granted = `capabilities = ${list(capabilities)}`;
  if (parameters === undefined) return `path "${path}" { ${granted} }`;
  const block = (name: string, values: Readonly<Record<string, readonly string[]>>): string[] => [
    `  ${name} = {`,
    ...Object.entries(values).map(([parameter, allowed]) => `    "${parameter}" = ${list(allowed)}`),
    '  }',
  ];
  return [
    `path "${path}" {`,
    `  ${granted}`,
    ...block('allowed_parameters', parameters.allowed),
    ...block('denied_parameters', parameters.denied),
    '}',
  ].join('\n');
}

function list(values: readonly string[]): string {
  return `[${values.map((value) => `"${value}"`).join(', ')}]`;
}
