/** Policies and the roles that give them to service accounts; written only where they differ. */
import { z } from 'zod';
import type { VaultSession } from '../../clients/vault/index.ts';
import { VAULT } from '../../contract/names.ts';
import { fieldDifferences } from '../../plan/drift/vault/fields.ts';
import { roleBody } from '../../plan/vault/foundation.ts';
import type { VaultPolicy, VaultRole } from '../../plan/vault/policies.ts';

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

/** @returns those that differ, or are not there */
export async function differingPolicies(
  session: VaultSession,
  wanted: readonly VaultPolicy[],
  known: KnownNames,
  signal?: AbortSignal,
): Promise<VaultPolicy[]> {
  const found = await Promise.all(
    wanted.map(async (policy) => ({
      policy,
      text: known.policies.includes(policy.name) ? await readPolicy(session, policy.name, signal) : undefined,
    })),
  );
  return found.filter(({ policy, text }) => text?.trim() !== policy.policy.trim()).map(({ policy }) => policy);
}

/** @returns what had to be written: `policy x` */
export async function writePolicies(
  session: VaultSession,
  wanted: readonly VaultPolicy[],
  known: KnownNames,
  signal?: AbortSignal,
): Promise<string[]> {
  const differing = await differingPolicies(session, wanted, known, signal);
  await Promise.all(differing.map((policy) => session.write(policyPath(policy), { policy: policy.policy }, signal)));
  return differing.map(({ name }) => `policy ${name}`);
}

/** @returns what differs: `role x` */
export async function differingRole(
  session: VaultSession,
  role: VaultRole,
  ttlSeconds: number,
  known: KnownNames,
  signal?: AbortSignal,
): Promise<string[]> {
  const found = known.roles.includes(role.name) ? await readRole(session, role.name, signal) : undefined;
  const same = found !== undefined && fieldDifferences(roleBody(role, ttlSeconds), found).length === 0;
  return same ? [] : [`role ${role.name}`];
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
  if (differing.length > 0) await session.write(rolePath(role), roleBody(role, ttlSeconds), signal);
  return differing;
}

export function policyPath({ name }: Pick<VaultRole, 'name'>): string {
  return `sys/policies/acl/${name}`;
}

export function rolePath({ name }: Pick<VaultRole, 'name'>): string {
  return `auth/${VAULT.authMount}/role/${name}`;
}
