/** What a deployment needs of Vault that no deployment can make: its unseal keys, and values that others issue. */
import { missingSecrets } from '../../../effects/secrets.ts';
import { findLossBefore, lossText } from '../../../effects/vault/secrets/loss.ts';
import type { Clients } from '../../../clients/index.ts';
import { KubernetesError } from '../../../clients/kubernetes/index.ts';
import { opens, type VaultClient, type VaultKeys } from '../../../clients/vault/index.ts';
import type { Connections } from '../../../environment/connections.ts';
import type { SuppliedKey } from '../../../plan/vault/supplied.ts';
import { withClients } from '../../shared/clients.ts';
import { refused } from '../../shared/failure.ts';
import { commandLine } from '../../shared/format.ts';
import type { Session } from '../session.ts';

/**
 * @throws CliError (refused) when Vault is sealed and its keys are gone, when it has lost its data beside those of
 * others, or when values that have to be supplied are missing
 */
export async function checkVault({ context, environment }: Session, connections: Connections): Promise<void> {
  await withClients(context, environment, connections, async (clients) => {
    const { state } = await clients.vault.state();
    if (state === 'sealed') {
      // With an external engine the keys are on the worker's machine: the worker reports it when they are missing.
      if (!('embedded' in environment.engine)) return;
      // People, or a key service: the deployment waits for them.
      if (!opens(await requireKeys(clients.vault))) return;
    }
    // One that is restarting is waited for by the deployment.
    if (state === 'unreachable') return;
    if (state === 'absent' || state === 'uninitialized') await requireNoLoss(clients, environment.name, state);
    const missing = await missingSecrets(clients);
    if (missing.length === 0) return;
    throw refused(
      `Values that third parties issue have not been supplied yet:\n${listed(missing)}`,
      ...missing.map((key) => setLine(environment.name, key)),
    );
  });
}

/** Whoever may not look here leaves it to the worker, which asks again before it touches anything. */
async function requireNoLoss(clients: Clients, name: string, state: 'absent' | 'uninitialized'): Promise<void> {
  const loss = await findLossBefore(clients, state).catch((error: unknown) => {
    if (error instanceof KubernetesError && error.status === 403) return undefined;
    throw error;
  });
  if (loss !== undefined) throw refused(lossText(name, loss, 'Nothing was changed.'));
}

async function requireKeys({ keys }: VaultClient): Promise<VaultKeys> {
  const kept = await keys.read();
  if (kept) return kept;
  throw refused(
    `Vault is sealed, and the file with its unseal keys is missing: ${keys.path}.`,
    `Restore ${keys.path} from your backup (mode 0600), or unseal Vault by hand; docs/do/runbook.md tells what to do when the keys are lost.`,
  );
}

function listed(keys: readonly SuppliedKey[]): string {
  return keys.map(({ path, key, description }) => `  ${path} ${key}: ${description}`).join('\n');
}

export function setLine(environment: string, { path, key }: Pick<SuppliedKey, 'path' | 'key'>): string {
  return `${commandLine('secrets', 'set', path, key, '--env', environment)} < FILE`;
}
