/** Steps on Vault and what is made from it; of the operation, or of the service that keeps it. */
import { vault } from '../activity-proxies.ts';
import type { StepCall, StepEnd } from './call.ts';

export async function openVault({ run, step, at }: StepCall): Promise<StepEnd> {
  at?.note('starting', 'opens, configures and seeds Vault');
  const summary = step.id.endsWith('/again')
    ? 'Vault is still open'
    : at === undefined
      ? 'Unseal Vault'
      : 'Initialise and unseal Vault';
  const { initialized } = await vault.openVault.executeWithOptions({ summary }, [run]);
  return { changed: initialized };
}

export async function configureVault({ run }: StepCall): Promise<StepEnd> {
  const summary = 'KV v2, Kubernetes auth, policies and roles';
  const { changed } = await vault.configureVault.executeWithOptions({ summary }, [run]);
  return { changed: changed.length > 0 };
}

export async function seedVault({ run }: StepCall): Promise<StepEnd> {
  const summary = 'Write the secrets that are missing';
  const { written } = await vault.seedVault.executeWithOptions({ summary }, [run]);
  return { changed: written.length > 0 };
}

export async function syncSecrets({ run }: StepCall): Promise<StepEnd> {
  const summary = 'Make Kubernetes Secrets from Vault';
  const { written } = await vault.syncSecrets.executeWithOptions({ summary }, [run]);
  return { changed: written.length > 0 };
}
