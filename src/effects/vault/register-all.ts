/** Registers all secret values with the redactor, so that texts from the cluster or from Helm can be redacted. */
import type { Clients } from '../../clients/index.ts';
import { readKv } from '../../clients/vault/index.ts';
import { chooseSecrets } from '../../plan/rotation/rotatable.ts';
import { valuesAtWork } from '../rotation/record.ts';
import { registerSecretValues } from './register-values.ts';
import { madeSecrets } from './secrets/made-secrets.ts';

/**
 * Registers every secret value of the platform with the redactor: a worker that has just started knows none. When Vault
 * does not answer, the values come from the Kubernetes Secrets that were made from it.
 * @returns whether all are known: if not, a text may hold a value that cannot be recognized
 */
export async function registerAllSecrets(clients: SecretSources, signal: AbortSignal): Promise<boolean> {
  const fromVault = await registerFromVault(clients, signal).catch(() => false);
  signal.throwIfAborted();
  if (!fromVault) await madeSecrets(clients, signal).catch(() => undefined);
  signal.throwIfAborted();
  return fromVault;
}

type SecretSources = Pick<Clients, 'environment' | 'vault' | 'catalog' | 'redactor' | 'kubernetes'>;

async function registerFromVault({ vault, catalog, redactor }: SecretSources, signal: AbortSignal): Promise<boolean> {
  const { state } = await vault.state(signal);
  // From one that was never initialised nothing can have come.
  if (state === 'uninitialized') return true;
  if (state !== 'open') return false;
  const { rotatable } = chooseSecrets(catalog, {});
  await vault.asDeployer(
    (session) =>
      Promise.all([
        ...catalog.secretPaths.map(async (declared) => {
          const entry = await readKv(session, declared.path, signal);
          registerSecretValues(redactor, declared, { ...entry?.other, ...entry?.data });
        }),
        // Pods may still have the former value of what is being rotated.
        valuesAtWork(session, rotatable, signal).then((values) => redactor.learn(...values)),
      ]),
    signal,
  );
  return true;
}
