/**
 * Keeps Vault unsealed during a health wait: after a restart its pod is sealed, and a service that reads its secrets
 * from Vault would never become healthy.
 */
import type { Clients } from '../../clients/index.ts';
import { UnreachableError } from '../../clients/kubernetes/index.ts';
import { VaultUnreachableError } from '../../clients/vault/index.ts';
import { VAULT } from '../../contract/names.ts';
import { namespaceOf } from '../vault/server.ts';

export interface VaultKeeper {
  /**
   * Opens Vault where it is sealed and there are keys. Costs nothing unless its pods have changed. @throws
   * UnreachableError when the cluster cannot be asked, or the signal's reason
   */
  look(signal: AbortSignal): Promise<void>;
  /** Its pod is starting, and no watch shows when it listens: look again soon. */
  isDue(): boolean;
  close(): void;
}

/**
 * @param needed the service reads Vault itself: it is looked at even before anything changes
 * @param wake called when Vault's pods have changed
 */
export function keepVaultOpen(
  { kubernetes, vault, catalog }: Pick<Clients, 'kubernetes' | 'vault' | 'catalog'>,
  needed: boolean,
  wake: () => void,
): VaultKeeper {
  let due = needed;
  const close = kubernetes.watches.listen(namespaceOf(catalog), VAULT.service, () => {
    due = true;
    wake();
  });
  return {
    close,
    isDue: () => due,
    look: async (signal) => {
      if (!due) return;
      const { state } = await vault.state(signal);
      due = state === 'unreachable';
      if (state !== 'sealed') return;
      try {
        await vault.unseal(signal);
      } catch (error) {
        signal.throwIfAborted();
        // Without keys people have to unseal it: the step that needs Vault reports it, with the commands to run.
        due = error instanceof VaultUnreachableError || error instanceof UnreachableError;
      }
    },
  };
}
