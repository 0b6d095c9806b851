/** Takes out of Vault what an earlier version of this program has made there, once nothing needs it. */
import type { Clients } from '../../../clients/index.ts';
import { VaultKeysMissingError, type VaultSession, VaultWaitsForPeopleError } from '../../../clients/vault/index.ts';
import type { Catalog } from '../../../catalog/schema.ts';
import { type Superseded, supersededAccess, supersededNames } from '../../../plan/vault/superseded.ts';
import { type KnownNames, policyPath, readPolicy, readRole, rolePath } from '../roles.ts';

/** As the deployer. Asks Vault nothing more where there is no such name. */
export async function findSuperseded(
  session: VaultSession,
  catalog: Catalog,
  known: KnownNames,
  signal?: AbortSignal,
): Promise<Superseded> {
  const names = supersededNames(catalog);
  const policies = known.policies.filter((name) => names.has(name));
  if (policies.length === 0) return { policies: [], roles: [] };
  const [texts, roles] = await Promise.all([
    Promise.all(policies.map(async (name) => [name, (await readPolicy(session, name, signal)) ?? ''] as const)),
    Promise.all(known.roles.map(async (name) => [name, (await readRole(session, name, signal)) ?? {}] as const)),
  ]);
  return supersededAccess(catalog, { policies: new Map(texts), roles: new Map(roles) });
}

/**
 * As root, which alone may: the roles first, so that no policy goes before who uses it. Where root cannot be had (keys
 * of people, a Vault of others) it stays, and drift says how to take it out.
 * @returns what is gone: `policy x`
 */
export async function removeSuperseded(
  { vault, environment }: Pick<Clients, 'vault' | 'environment'>,
  { policies, roles }: Superseded,
  signal?: AbortSignal,
): Promise<string[]> {
  if (policies.length + roles.length === 0 || environment.vault.external !== undefined) return [];
  try {
    await vault.root.run(async (session) => {
      await Promise.all(roles.map((name) => session.remove(rolePath({ name }), signal)));
      await Promise.all(policies.map((name) => session.remove(policyPath({ name }), signal)));
    }, signal);
  } catch (error) {
    if (error instanceof VaultWaitsForPeopleError || error instanceof VaultKeysMissingError) return [];
    throw error;
  }
  return [
    ...roles.map((name) => `role ${name} of an earlier version removed`),
    ...policies.map((name) => `policy ${name} of an earlier version removed`),
  ];
}
