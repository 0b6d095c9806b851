/** What differs in Vault: mounts, logins, policies, roles. Judged from what was read; nothing here asks Vault. */
import type { DriftFinding } from '../../../contract/drift.ts';
import { VAULT } from '../../../contract/names.ts';
import {
  DEPLOYER_TTL_SECONDS,
  KV_CONFIG,
  KV_MOUNT,
  LOGIN_MOUNT,
  loginConfig,
  roleBody,
  SERVICE_TTL_SECONDS,
} from '../../vault/foundation.ts';
import type { VaultPolicy, VaultRole } from '../../vault/policies.ts';
import type { Superseded } from '../../vault/superseded.ts';
import { type FieldDifference, fieldDifferences } from './fields.ts';
import { vaultFinding } from './finding.ts';
import { policyDifferences } from './policy-text.ts';

export type Fields = Readonly<Record<string, unknown>>;
/** What was read; undefined where it could not be looked at, which is said elsewhere. */
export interface SeenVault {
  mounts: ReadonlyMap<string, Fields> | undefined;
  auths: ReadonlyMap<string, Fields> | undefined;
  /** `null`: never written. */
  kvConfig: Fields | null | undefined;
  loginConfig: Fields | null | undefined;
  /** Text by name; undefined text: it is there, and cannot be read. */
  policies: ReadonlyMap<string, string | undefined> | undefined;
  roles: ReadonlyMap<string, Fields | undefined> | undefined;
}

export interface WantedVault {
  login: { kubernetesHost: string; certificateAuthority: string };
  deployer: VaultRole;
  policies: readonly VaultPolicy[];
  services: readonly VaultRole[];
  /** What an earlier version has made, and nothing uses any more. Absent: nothing. */
  earlier?: Superseded;
}

const KV = `${VAULT.kvMount}/`;
const LOGIN = `${VAULT.authMount}/`;
/** What every Vault has by itself. */
const BUILT_IN_MOUNTS = new Set(['system', 'identity', 'cubbyhole', 'agent_registry']);
const BUILT_IN_POLICIES = new Set(['default', 'root', 'response-wrapping', 'control-group']);
const AUDIT =
  'Vault keeps no record of who changed it; its audit log (container log of the Vault pod) names the request.';
const NOT_REMOVED = 'Not removed automatically: somebody may be using it.';

/** @returns findings, and how many things were compared */
export function vaultFindings(seen: SeenVault, wanted: WantedVault): { findings: DriftFinding[]; checked: number } {
  const parts = [kv(seen), login(seen, wanted), policies(seen, wanted), roles(seen, wanted)];
  return {
    findings: parts.flatMap(({ findings }) => findings),
    checked: parts.reduce((sum, { checked }) => sum + checked, 0),
  };
}

interface Part {
  findings: DriftFinding[];
  checked: number;
}

function kv({ mounts, kvConfig }: SeenVault): Part {
  if (!mounts) return { findings: [], checked: 0 };
  const object = `Vault mount ${KV}`;
  const mount = mounts.get(KV);
  const extra = extras(
    mounts,
    KV,
    'Vault mount',
    ({ type }) => !BUILT_IN_MOUNTS.has(String(type)) && !String(type).startsWith('ns_'),
    'vault secrets disable',
  );
  if (!mount)
    return {
      findings: [
        vaultFinding({
          kind: 'missing',
          area: 'vault',
          object,
          repair: 'vault',
          note: `Everything stored in it is gone from Vault. It is mounted again, and values come back from the Kubernetes Secrets made from them; what no Secret holds is left to a person. ${AUDIT}`,
        }),
        ...extra,
      ],
      checked: 2,
    };
  if (mount['type'] !== 'kv') {
    const type = vaultFinding({
      kind: 'changed',
      area: 'vault',
      object,
      field: 'type',
      was: 'kv',
      is: String(mount['type']),
      note: 'Something else is mounted there and may hold data: move it with `vault secrets move`, then deploy.',
    });
    return { findings: [type, ...extra], checked: 2 };
  }
  const fields = [
    ...fieldDifferences(KV_MOUNT, mount),
    ...(kvConfig ? prefixed('kv', fieldDifferences(KV_CONFIG, kvConfig)) : []),
  ];
  return { findings: [...changed(object, fields), ...extra], checked: 3 };
}

function login({ auths, loginConfig: config }: SeenVault, wanted: WantedVault): Part {
  const findings: DriftFinding[] = [];
  if (auths) {
    const mount = auths.get(LOGIN);
    const object = `Vault auth method ${LOGIN}`;
    if (!mount) findings.push(vaultFinding({ kind: 'missing', area: 'vault', object, repair: 'vault', note: AUDIT }));
    else findings.push(...changed(object, fieldDifferences(LOGIN_MOUNT, mount)));
    findings.push(
      ...extras(
        auths,
        LOGIN,
        'Vault auth method',
        ({ type }) => type !== 'token' && type !== 'ns_token',
        'vault auth disable',
      ),
    );
  }
  if (config !== undefined && auths?.has(LOGIN) !== false) {
    const object = `Vault configuration of auth/${VAULT.authMount}`;
    if (config === null)
      findings.push(vaultFinding({ kind: 'missing', area: 'vault', object, repair: 'vault', note: AUDIT }));
    else {
      findings.push(...changed(object, fieldDifferences(loginConfig(wanted.login), config)));
      if (config['token_reviewer_jwt_set'] === false)
        findings.push(...changed(object, [{ field: 'token_reviewer_jwt', was: 'set', is: 'not set' }]));
    }
  }
  return { findings, checked: (auths ? 2 : 0) + (config === undefined ? 0 : 1) };
}

function policies({ policies: seen }: SeenVault, { policies: wanted, earlier }: WantedVault): Part {
  if (!seen) return { findings: [], checked: 0 };
  const findings = wanted.flatMap(({ name, policy }) => {
    const object = `Vault policy ${name}`;
    if (!seen.has(name)) return [missing(object, name)];
    const text = seen.get(name);
    return text === undefined ? [] : changed(object, policyDifferences(policy, text), name);
  });
  const extra = [...seen]
    .filter(([name]) => !BUILT_IN_POLICIES.has(name) && !wanted.some((policy) => policy.name === name))
    .map(([name, text]) =>
      vaultFinding({
        kind: 'extra',
        area: 'vault',
        object: `Vault policy ${name}`,
        ...(text === undefined ? {} : { is: oneLine(text) }),
        value: text ?? null,
        note: `${whose(name, earlier?.policies)} Remove it with: vault policy delete ${name}`,
      }),
    );
  return { findings: [...findings, ...extra], checked: wanted.length + extra.length };
}

function roles({ roles: seen }: SeenVault, { deployer, services, earlier }: WantedVault): Part {
  if (!seen) return { findings: [], checked: 0 };
  const wanted = [
    { role: deployer, ttl: DEPLOYER_TTL_SECONDS },
    ...services.map((role) => ({ role, ttl: SERVICE_TTL_SECONDS })),
  ];
  const findings = wanted.flatMap(({ role, ttl }) => {
    const object = `Vault role ${role.name}`;
    if (!seen.has(role.name)) return [missing(object, role.name)];
    const fields = seen.get(role.name);
    return fields === undefined ? [] : changed(object, fieldDifferences(roleBody(role, ttl), fields), role.name);
  });
  const extra = [...seen]
    .filter(([name]) => !wanted.some(({ role }) => role.name === name))
    .map(([name, fields]) => {
      const [accounts, namespaces, granted] = [
        'bound_service_account_names',
        'bound_service_account_namespaces',
        'token_policies',
      ].map((field) => [fields?.[field]].flat().map(String).join(', '));
      return vaultFinding({
        kind: 'extra',
        area: 'vault',
        object: `Vault role ${name}`,
        ...(fields ? { is: `${accounts ?? ''} in ${namespaces ?? ''}: ${granted ?? ''}` } : {}),
        value: fields ?? null,
        note: `${whose(name, earlier?.roles)} Remove it with: vault delete auth/${VAULT.authMount}/role/${name}`,
      });
    });
  return { findings: [...findings, ...extra], checked: wanted.length + extra.length };
}

function missing(object: string, name: string): DriftFinding {
  return vaultFinding({ kind: 'missing', area: 'vault', object, ...serviceOf(name), repair: 'vault', note: AUDIT });
}

function changed(object: string, fields: readonly FieldDifference[], name?: string): DriftFinding[] {
  return fields.map(({ field, was, is }) =>
    vaultFinding({
      kind: 'changed',
      area: 'vault',
      object,
      field,
      was,
      is,
      value: is,
      ...(name === undefined ? {} : serviceOf(name)),
      repair: 'vault',
      note: AUDIT,
    }),
  );
}

function extras(
  mounts: ReadonlyMap<string, Fields>,
  ours: string,
  what: string,
  counts: (fields: Fields) => boolean,
  command: string,
): DriftFinding[] {
  return [...mounts]
    .filter(([path, fields]) => path !== ours && counts(fields))
    .map(([path, fields]) =>
      vaultFinding({
        kind: 'extra',
        area: 'vault',
        object: `${what} ${path}`,
        is: String(fields['type']),
        note: `Nobody of ours has made it. ${NOT_REMOVED} Remove it with: ${command} ${path}`,
      }),
    );
}

function whose(name: string, earlier: readonly string[] = []): string {
  if (earlier.includes(name))
    return 'An earlier version of the deployer has made it, and nothing uses it any more: a deployment that configures Vault removes it where it can be root.';
  return `${
    name.startsWith('ananta-')
      ? 'Of a service that the catalog no longer has, or made by hand.'
      : 'Nobody of ours has made it.'
  } ${NOT_REMOVED}`;
}

function serviceOf(role: string): { service?: string } {
  // Policies are of paths, which several services read.
  return role === VAULT.deployerRole || role.startsWith('ananta-read-')
    ? { service: VAULT.service }
    : { service: role.replace(/^ananta-/, '') };
}

function prefixed(prefix: string, fields: readonly FieldDifference[]): FieldDifference[] {
  return fields.map(({ field, ...rest }) => ({ field: `${prefix}.${field}`, ...rest }));
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, '; ');
}
