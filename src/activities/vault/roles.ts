/** Policies and the roles that give them to service accounts; written only where they differ. */
import { z } from 'zod';
import type { VaultSession } from '../../clients/vault/index.ts';
import { VAULT } from '../../contract/names.ts';
import { fieldDifferences } from '../../plan/drift/vault-fields.ts';
import { roleBody } from '../../plan/vault-foundation.ts';
import type { VaultRole } from '../../plan/vault-policies.ts';

const policySchema = z.object({ data: z.object({ policy: z.string() }) });
const roleSchema = z.object({ data: z.record(z.string(), z.unknown()) });

/** Names that are there already: what is not needs no reading. */
export interface KnownNames {
  policies: readonly string[];
  roles: readonly string[];
}

export async function knownNames(session: VaultSession, signal?: AbortSignal): Promise<KnownNames> {
  const [policies, roles] = await Promise.all([
    session.list('sys/policies/acl', signal),
    session.list(`auth/${VAULT.authMount}/role`, signal),
  ]);
  return { policies, roles };
}

/** Text of a policy; undefined when there is none. */
export async function readPolicy(
  session: VaultSession,
  name: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const answer = await session.read(policyPath({ name }), signal);
  return answer === undefined ? undefined : policySchema.parse(answer).data.policy;
}

/** Fields of a role; undefined when there is none. */
export async function readRole(
  session: VaultSession,
  name: string,
  signal?: AbortSignal,
): Promise<Record<string, unknown> | undefined> {
  const answer = await session.read(rolePath({ name }), signal);
  return answer === undefined ? undefined : roleSchema.parse(answer).data;
}

/** @returns what differs: `policy x`, `role x` */
export async function differingRole(
  session: VaultSession,
  role: VaultRole,
  ttlSeconds: number,
  known: KnownNames,
  signal?: AbortSignal,
): Promise<string[]> {
  const [policy, found] = await Promise.all([
    known.policies.includes(role.name) ? readPolicy(session, role.name, signal) : undefined,
    known.roles.includes(role.name) ? readRole(session, role.name, signal) : undefined,
  ]);
  const sameRole = found !== undefined && fieldDifferences(roleBody(role, ttlSeconds), found).length === 0;
  return [
    ...(policy?.trim() === role.policy.trim() ? [] : [`policy ${role.name}`]),
    ...(sameRole ? [] : [`role ${role.name}`]),
  ];
}

/** @returns what had to be written */
export async function writeRole(
  session: VaultSession,
  role: VaultRole,
  ttlSeconds: number,
  known: KnownNames,
  signal?: AbortSignal,
): Promise<string[]> {
  const differing = await differingRole(session, role, ttlSeconds, known, signal);
  if (differing.includes(`policy ${role.name}`)) await session.write(policyPath(role), { policy: role.policy }, signal);
  if (differing.includes(`role ${role.name}`)) await session.write(rolePath(role), roleBody(role, ttlSeconds), signal);
  return differing;
}

function policyPath({ name }: Pick<VaultRole, 'name'>): string {
  return `sys/policies/acl/${name}`;
}

function rolePath({ name }: Pick<VaultRole, 'name'>): string {
  return `auth/${VAULT.authMount}/role/${name}`;
}
