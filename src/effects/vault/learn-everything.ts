/** All values of the platform, for texts that come from elsewhere. */
import type { Clients } from '../../clients/index.ts';
import { readKv } from '../../clients/vault/index.ts';
import { chooseSecrets } from '../../plan/rotation/rotatable.ts';
import { valuesAtWork } from '../rotation/record.ts';
import { registerSecretValues } from './learn.ts';
import { madeSecrets } from './secrets/made-secrets.ts';

/**
 * Learns every value of the platform, for texts that come from elsewhere: a worker that has just started knows none.
 * Of a Vault that does not answer, it learns what the Kubernetes Secrets made from it hold.
 * @returns whether that is all: where not, a text may hold a value that nobody here can know
 */
export async function learnEverything(clients: Learning, signal: AbortSignal): Promise<boolean> {
  const fromVault = await learnFromVault(clients, signal).catch(() => false);
  signal.throwIfAborted();
  if (!fromVault) await madeSecrets(clients, signal).catch(() => undefined);
  signal.throwIfAborted();
  return fromVault;
}

type Learning = Pick<Clients, 'environment' | 'vault' | 'catalog' | 'redactor' | 'kubernetes'>;

async function learnFromVault({ vault, catalog, redactor }: Learning, signal: AbortSignal): Promise<boolean> {
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
