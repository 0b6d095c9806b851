/** Whether Vault holds everything that the platform needs: a few small requests, none of which reads a secret. */
import type { Clients } from '../../clients/index.ts';
import { versionOfKv, type VaultSession } from '../../clients/vault/index.ts';
import type { Environment } from '../../environment/schema.ts';
import { wantedSecrets } from '../../plan/vault/kubernetes-secrets.ts';
import { SECRETS_CHANGED_ANNOTATION, SECRETS_ROTATED_ANNOTATION } from '../../contract/names.ts';
import type { ChangedSecret, ObservedCluster } from '../../plan/observed.ts';
import { deployerRole, policyNames, serviceRoles } from '../../plan/vault/policies.ts';
import { observeAuthorities } from './authorities.ts';
import { readReceipt, wantedReceipt } from './receipt.ts';
import { knownNames } from './roles.ts';
import { existingSecrets, LACKS_A_LABEL, staleness } from './secrets/wanted.ts';

export type ObservedVault = Pick<
  ObservedCluster,
  'vault' | 'vaultConfigured' | 'vaultReason' | 'vaultReasons' | 'changedSecrets'
>;

/** Changes nothing: a sealed Vault stays sealed. Never throws for what Vault answers. */
export async function observeVault(
  clients: Clients,
  environment: Environment,
  signal: AbortSignal,
): Promise<ObservedVault> {
  const { state, detail } = await clients.vault.state(signal);
  if (state !== 'open') return { vault: state, vaultConfigured: false, vaultReason: detail };
  if (environment.vault.rootToken === 'revoke' && (await clients.vault.root.isKept()))
    return {
      vault: 'open',
      vaultConfigured: false,
      vaultReason: 'its initialisation was not finished: the root token is still there',
    };
  try {
    const [inside, existing] = await Promise.all([
      clients.vault.asDeployer((session) => lookInside(clients, environment, session, signal), signal),
      existingSecrets(clients.kubernetes, signal),
    ]);
    const changedSecrets: ChangedSecret[] = [];
    const stale = wantedSecrets(clients.catalog).flatMap((secret) => {
      const found = existing.get(`${secret.namespace}/${secret.name}`);
      const why = staleness(secret, inside.revisions.get(secret.path), found);
      const changedAt = found?.metadata.annotations?.[SECRETS_CHANGED_ANNOTATION];
      const rotatedAt = found?.metadata.annotations?.[SECRETS_ROTATED_ANNOTATION];
      if (found && (why !== undefined || changedAt !== undefined))
        changedSecrets.push({
          namespace: secret.namespace,
          name: secret.name,
          path: secret.path,
          // A label that is missing has nothing to do with values.
          stale: why !== undefined && why !== LACKS_A_LABEL,
          ...(changedAt === undefined ? {} : { changedAt }),
          ...(changedAt !== undefined && rotatedAt === changedAt ? { rotated: true } : {}),
        });
      return why === undefined ? [] : [`Secret ${secret.namespace}/${secret.name} ${why}`];
    });
    const authorities = await observeAuthorities(clients, existing, signal);
    changedSecrets.push(...authorities.changed);
    const reasons = [...inside.reasons, ...stale, ...authorities.reasons];
    return {
      vault: 'open',
      vaultConfigured: reasons.length === 0,
      ...(changedSecrets.length > 0 ? { changedSecrets } : {}),
      ...(reasons.length > 0 ? { vaultReasons: reasons } : {}),
      vaultReason:
        reasons.length > 2 ? `${reasons.slice(0, 2).join('; ')}; and ${reasons.length - 2} more` : reasons.join('; '),
    };
  } catch (error) {
    signal.throwIfAborted();
    return {
      vault: 'open',
      vaultConfigured: false,
      vaultReason: error instanceof Error ? clients.redactor.redact(error.message) : String(error),
    };
  }
}

async function lookInside(
  { catalog, connections }: Clients,
  environment: Environment,
  session: VaultSession,
  signal: AbortSignal,
): Promise<{ reasons: string[]; revisions: Map<string, string> }> {
  const [receipt, { policies, roles }, found] = await Promise.all([
    readReceipt(session, signal),
    knownNames(session, signal),
    Promise.all(
      catalog.secretPaths.map(async ({ path }) => [path, (await versionOfKv(session, path, signal)).revision] as const),
    ),
  ]);
  const wanted = wantedReceipt(catalog, environment, connections.vault.kubernetesHost);
  const roleNames = [deployerRole(), ...serviceRoles(catalog)].map(({ name }) => name);
  const reasons = [
    ...(receipt.configured === wanted.configured ? [] : ['policies, roles or login are not those of this catalog']),
    ...(receipt.seeded === wanted.seeded ? [] : ['paths or keys are not those of this catalog']),
    ...policyNames(catalog)
      .filter((name) => !policies.includes(name))
      .map((name) => `policy ${name} is missing`),
    ...roleNames.filter((name) => !roles.includes(name)).map((name) => `role ${name} is missing`),
    ...found.filter(([, revision]) => revision === undefined).map(([path]) => `${path} is missing`),
  ];
  return {
    reasons,
    revisions: new Map(
      found.flatMap(([path, revision]) => (revision === undefined ? [] : [[path, revision] as const])),
    ),
  };
}
