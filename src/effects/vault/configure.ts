/** From an open Vault to one that the platform can use; every line of it may be repeated. */
import { DeployError } from '../../contract/errors.ts';
import type { Clients } from '../../clients/index.ts';
import { VaultError, type VaultSession } from '../../clients/vault/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { FAILURES } from '../../contract/failures.ts';
import { VAULT } from '../../contract/names.ts';
import { SERVICE_TTL_SECONDS } from '../../plan/vault/foundation.ts';
import { serviceRoles } from '../../plan/vault/policies.ts';
import type { EffectScope } from '../effect.ts';
import { layFoundation, missingFoundation, type WantedFoundation } from './foundation.ts';
import { ensureIdentities, type Reviewer, reviewerOf } from './identities.ts';
import { wantedReceipt, writeReceipt } from './receipt.ts';
import { knownNames, writeRole } from './roles.ts';
import { findSuperseded, removeSuperseded } from './secrets/superseded.ts';

export async function configureVault(
  clients: Clients,
  run: InputOf<'configureVault'>,
  scope: EffectScope,
  // Of a Vault that came from a backup: what it knows of its cluster may be of another one.
  { anew = false }: { anew?: boolean } = {},
): OutputOf<'configureVault'> {
  const { signal } = scope;
  scope.doing('configures Vault');

  const { kubernetes, vault, redactor, connections, environment, catalog } = clients;
  const changed = await ensureIdentities(kubernetes, clients.environment.name, signal);
  const reviewer = await reviewerOf(kubernetes, redactor, signal);
  // A new login is the only proof that Vault's reviewer is still let in by the cluster: who made it anew may hold a
  // token from before.
  vault.forgetLogin();
  const wanted: WantedFoundation = {
    catalog,
    kubernetesHost: connections.vault.kubernetesHost,
    certificateAuthority: reviewer.certificateAuthority,
    plugin: connections.vault.kubernetesAuthPlugin,
  };
  changed.push(...(await foundation(clients, wanted, reviewer, { signal, anew })));
  const { roles, superseded } = await vault.asDeployer(async (session) => {
    const known = await knownNames(session, signal);
    const written = await Promise.all(
      serviceRoles(catalog).map((role) => writeRole(session, role, SERVICE_TTL_SECONDS, known, signal)),
    );
    // After the roles were written, since before that they still named the policies of the version before.
    return { roles: written.flat(), superseded: await findSuperseded(session, catalog, known, signal) };
  }, signal);
  changed.push(...roles, ...(await removeSuperseded(clients, superseded, signal)));
  const { configured } = wantedReceipt(catalog, environment, wanted.kubernetesHost);
  await vault.asDeployer((session) => writeReceipt(session, { configured }, signal), signal);
  // Only now, after the deployer's own login has worked.
  if (environment.vault.rootToken === 'revoke' && (await vault.root.revoke(signal))) changed.push('root token revoked');
  return { changed };
}

/** Root is asked only if the deployer cannot log in, or finds something that it may not change itself. */
async function foundation(
  { vault, environment }: Clients,
  wanted: WantedFoundation,
  reviewer: Reviewer,
  { signal, anew }: { signal: AbortSignal; anew: boolean },
): Promise<string[]> {
  const missing = anew
    ? undefined
    : await orRefused(() =>
        vault.asDeployer((session: VaultSession) => missingFoundation(session, wanted, signal), signal),
      );
  if (missing?.length === 0) return [];
  if (environment.vault.external !== undefined) {
    throw new DeployError(
      FAILURES.vaultKeysMissing,
      `The Vault at ${environment.vault.external.address} is run by others, and ${
        missing === undefined
          ? `does not let the deployer in (auth/${VAULT.authMount}, role ${VAULT.deployerRole})`
          : `lacks: ${missing.join(', ')}`
      }. Its operators run once what this prints: npm run ananta -- vault prepare --env ${environment.name}. Nothing in it was changed.`,
    );
  }
  const laid = await vault.root.run((session) => layFoundation(session, wanted, reviewer, signal), signal);
  vault.forgetLogin();
  return laid;
}

/** @returns undefined when Vault does not let the deployer in: there is no such role, mount or right yet */
async function orRefused<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof VaultError && [400, 403, 404].includes(error.status)) return undefined;
    throw error;
  }
}
