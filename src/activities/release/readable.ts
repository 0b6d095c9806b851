/** Before anything is touched: Helm can read the record of what it is about to upgrade. */
import { readStoredRelease } from '../../clients/helm/index.ts';
import type { KubernetesClient } from '../../clients/kubernetes/index.ts';
import type { DeployPlan } from '../../contract/plan.ts';
import { type ObservedCluster, releaseKey } from '../../plan/observed.ts';

/**
 * Only records of releases that are to be applied anew are read.
 * @throws DamagedRecordError with the way out
 */
export async function assertReadable(
  kubernetes: Pick<KubernetesClient, 'get'>,
  { services }: Pick<DeployPlan, 'services'>,
  { releases }: Pick<ObservedCluster, 'releases'>,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    services
      .flatMap(({ steps }) => steps)
      .filter(({ kind, action }) => kind === 'release' && (action === 'upgrade' || action === 'retry'))
      .map(async ({ namespace, name }) => {
        const found = releases.get(releaseKey(namespace, name));
        // An unfinished record is removed, whatever it holds.
        if (found === undefined || found.status.startsWith('pending-') || found.status === 'uninstalling') return;
        await readStoredRelease(kubernetes, namespace, name, found.revision, signal);
      }),
  );
}
