/** Whether Helm can read its own records: of what it is about to upgrade, and of all that is in effect. */
import { z } from 'zod';
import { DamagedRecordError, decodeStoredRelease, readStoredRelease } from '../../clients/helm/index.ts';
import { isForbidden, type KubernetesClient, paths } from '../../clients/kubernetes/index.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { type ObservedCluster, releaseKey } from '../../plan/observed.ts';

/**
 * Only records of releases that are to be applied anew are read.
 * @throws DamagedRecordError with the way out
 */
export async function assertReadable(
  kubernetes: Pick<KubernetesClient, 'get'>,
  { services }: Pick<OperationPlan, 'services'>,
  { releases }: Pick<ObservedCluster, 'releases'>,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    services
      .flatMap(({ steps }) => steps)
      .filter(({ kind, action }) => kind === 'release' && (action === 'upgrade' || action === 'retry'))
      .map(async ({ namespace, name }) => {
        const found = releases.get(releaseKey(namespace, name));
        // An unfinished record is removed without being read.
        if (found === undefined || found.status.startsWith('pending-') || found.status === 'uninstalling') return;
        await readStoredRelease(kubernetes, namespace, name, found.revision, signal);
      }),
  );
}

const recordSchema = z.looseObject({ data: z.object({ release: z.string() }) });

/**
 * Of releases in these namespaces: what is damaged, each with the way out. One request; empty where Secrets may not be
 * read.
 */
export async function damagedRecords(
  kubernetes: Pick<KubernetesClient, 'list'>,
  namespaces: readonly string[],
  signal?: AbortSignal,
): Promise<string[]> {
  let items: Awaited<ReturnType<KubernetesClient['list']>>['items'];
  try {
    ({ items } = await kubernetes.list(paths.secrets(), { labelSelector: 'owner=helm,status=deployed' }, signal));
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
  const found = await Promise.all(
    items
      .filter(({ metadata }) => namespaces.includes(metadata.namespace ?? ''))
      .map(async (secret) => {
        const { namespace = '', labels } = secret.metadata;
        try {
          await decodeStoredRelease(recordSchema.parse(secret).data.release);
          return [];
        } catch (error) {
          const of = { namespace, name: labels?.['name'] ?? '', revision: Number(labels?.['version']) };
          return [new DamagedRecordError(of, error).message];
        }
      }),
  );
  return found.flat().sort();
}
