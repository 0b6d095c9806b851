/** Policies and the roles that give them to service accounts; written only where they differ. */
import { z } from 'zod';
import type { VaultSession } from '../../clients/vault/index.ts';
import { VAULT } from '../../contract/names.ts';
import type { VaultRole } from '../../plan/vault-policies.ts';

const policySchema = z.object({ data: z.object({ policy: z.string() }) });
const roleSchema = z.object({
  data: z.looseObject({
    bound_service_account_names: z.array(z.string()).nullish(), bound_service_account_namespaces: z.array(z.string()).nullish(),
    audience: z.string().nullish(), token_policies: z.array(z.string()).nullish(), token_ttl: z.number().nullish(), alias_name_source: z.string().nullish(),
  }),
});

interface RoleBody extends Record<string, unknown> {
  bound_service_account_names: string[];
  bound_service_account_namespaces: string[];
  audience: string;
  token_policies: string[];
  token_ttl: number;
  alias_name_source: string;
}

/** Names that are there already: what is not needs no reading. */
export interface KnownNames {
  policies: readonly string[];
  roles: readonly string[];
}

export async function knownNames(session: VaultSession, signal?: AbortSignal): Promise<KnownNames> {
  const [policies, roles] = await Promise.all([session.list('sys/policies/acl', signal), session.list(`auth/${VAULT.authMount}/role`, signal)]);
  return { policies, roles };
}

/** @returns what differs: `policy x`, `role x` */
export async function differingRole(session: VaultSession, role: VaultRole, ttlSeconds: number, known: KnownNames, signal?: AbortSignal): Promise<string[]> {
  const [policy, found] = await Promise.all([
    known.policies.includes(role.name) ? session.read(policyPath(role), signal) : undefined,
    known.roles.includes(role.name) ? session.read(rolePath(role), signal) : undefined,
  ]);
  const samePolicy = policy !== undefined && policySchema.parse(policy).data.policy.trim() === role.policy.trim();
  const wanted = bodyOf(role, ttlSeconds);
  const current = found === undefined ? undefined : roleSchema.parse(found).data;
  const sameRole = current !== undefined && Object.entries(wanted).every(([key, value]) => JSON.stringify(current[key]) === JSON.stringify(value));
  return [...(samePolicy ? [] : [`policy ${role.name}`]), ...(sameRole ? [] : [`role ${role.name}`])];
}

/** @returns what had to be written */
export async function writeRole(session: VaultSession, role: VaultRole, ttlSeconds: number, known: KnownNames, signal?: AbortSignal): Promise<string[]> {
  const differing = await differingRole(session, role, ttlSeconds, known, signal);
  if (differing.includes(`policy ${role.name}`)) await session.write(policyPath(role), { policy: role.policy }, signal);
  if (differing.includes(`role ${role.name}`)) await session.write(rolePath(role), bodyOf(role, ttlSeconds), signal);
  return differing;
}

function bodyOf({ name, serviceAccount, namespace }: VaultRole, ttlSeconds: number): RoleBody {
  return {
    bound_service_account_names: [serviceAccount], bound_service_account_namespaces: [namespace], audience: VAULT.audience,
    token_policies: [name], token_ttl: ttlSeconds, alias_name_source: 'serviceaccount_uid',
  };
}

function policyPath({ name }: VaultRole): string {
  return `sys/policies/acl/${name}`;
}

function rolePath({ name }: VaultRole): string {
  return `auth/${VAULT.authMount}/role/${name}`;
}
