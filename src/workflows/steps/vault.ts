/** Steps on Vault and what is made from it; of the operation, or of the service that keeps it. */
import { vault } from '../activity-proxies.ts';
import { misplaced, releaseOf, serviceOf, type StepCall, type StepEnd } from './call.ts';

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

/** Their claims stay, and hold what would keep a server of that name from joining again one day. */
export async function removePeers(call: StepCall): Promise<StepEnd> {
  const { run, step } = call;
  const { leaving } = step;
  if (leaving === undefined) return misplaced(step);
  const { service, note } = serviceOf(call);
  const release = releaseOf(call);
  note('applying', `${leaving.join(', ')} leave raft`);
  const { removed } = await vault.removeRaftPeers.executeWithOptions(
    { summary: `${leaving.join(', ')} leave Vault's raft` },
    [{ run, service: service.name, step: release, servers: leaving }],
  );
  const claims = leaving.map((server) => `data-${server}`).join(' ');
  return {
    changed: removed.length > 0,
    notes: [
      `${leaving.join(', ')} have left Vault's raft. Their claims stay; before Vault grows again they have to go: kubectl --namespace ${release.namespace} delete pvc ${claims}`,
    ],
  };
}
