/** Sizes of volumes that a revision has otherwise than the cluster has them by now. */
import { readStoredRelease, type StoredRelease } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import { type KubernetesClient, type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { manifestObjects } from '../../plan/diff/manifest.ts';
import { type Kept, withSizesKept } from '../../plan/growing/kept.ts';
import { seenClaim, seenSet } from '../../plan/growing/live.ts';
import type { Release } from '../release/recover.ts';
import { knownStorage } from './live.ts';

/** Only objects with a size are asked for, straight from the API server: right after an upgrade a watch may be late. */
export async function keptSizes(
  kubernetes: Pick<KubernetesClient, 'get'>,
  { manifest }: Pick<StoredRelease, 'manifest'>,
  { namespace }: Release,
  signal: AbortSignal,
): Promise<Kept> {
  if (!/^\s*(?:volumeClaimTemplates:|kind: ["']?PersistentVolumeClaim["']?\s*$)/m.test(manifest))
    return { manifest, kept: [] };
  const wanted = manifestObjects(manifest).filter((one) => one.namespace === undefined || one.namespace === namespace);
  const live = (own: readonly { name: string }[], path: string): Promise<KubernetesObject[]> =>
    Promise.all(own.map(async ({ name }) => (await kubernetes.get(`${path}/${name}`, signal)) ?? [])).then((found) =>
      found.flat(),
    );
  const [sets, claims] = await Promise.all([
    live(
      wanted.filter(({ kind, object }) => kind === 'StatefulSet' && seenSet(object) !== undefined),
      paths.statefulSets(namespace),
    ),
    live(
      wanted.filter(({ kind, object }) => kind === 'PersistentVolumeClaim' && seenClaim(object) !== undefined),
      paths.persistentVolumeClaims(namespace),
    ),
  ]);
  return withSizesKept(manifest, { claims, sets });
}

/** What a rollback keeps, for its plan: only of releases that have claims, from the watches. */
export async function keptNotes(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  { services }: Pick<OperationPlan, 'services'>,
  signal?: AbortSignal,
): Promise<string[]> {
  const found = await Promise.all(
    services
      .flatMap(({ steps }) => steps)
      .map(async ({ action, namespace, name, toRevision }): Promise<string[]> => {
        const live = knownStorage(kubernetes, { namespace, name });
        if (action !== 'rollback' || toRevision === undefined || live.claims.length === 0) return [];
        const stored = await readStoredRelease(kubernetes, namespace, name, toRevision, signal);
        if (stored === undefined) return [];
        return withSizesKept(stored.manifest, live).kept.map((text) => `${name}: ${text}.`);
      }),
  );
  return found.flat();
}
