/** Claims of ours with the volumes behind them. */
import { z } from 'zod';
import type { KubernetesClient } from '../../clients/kubernetes/index.ts';
import type { RemainingObject } from '../../contract/operations/deploy.ts';
import type { SurveyedNamespace } from './survey.ts';
import { type StallTimeout, deleteAndWait, type Target, waitOnly } from './deletion.ts';

const claimSchema = z.object({ spec: z.object({ volumeName: z.string().nullish() }).prefault({}) });
const volumeSchema = z.object({ spec: z.object({ persistentVolumeReclaimPolicy: z.string().default('Retain') }) });

export interface Claim extends Target {
  namespace: string;
}

/** Claims that belong to releases of ours. */
export function claimsOf({ name: namespace, objects }: SurveyedNamespace): Claim[] {
  return objects
    .filter(({ ownership }) => ownership === 'volume')
    .map(({ path, object }) => ({
      kind: 'PersistentVolumeClaim',
      namespace,
      name: object.metadata.name,
      path,
      uid: object.metadata.uid,
    }));
}

/**
 * Deletes claims, and waits until their volumes have gone too; those with another reclaim policy are named, the data
 * are on them.
 */
export async function removeClaims(
  kubernetes: KubernetesClient,
  claims: readonly Claim[],
  stall: StallTimeout,
  signal: AbortSignal,
  onStatus: (text: string) => void,
): Promise<{ removed: string[]; remains: RemainingObject[] }> {
  const volumes = (
    await Promise.all(
      claims.map(async (claim) => {
        const bound = claimSchema.safeParse((await kubernetes.get(claim.path, signal)) ?? {}).data?.spec.volumeName;
        if (!bound) return [];
        const path = `/api/v1/persistentvolumes/${bound}`;
        const volume = await kubernetes.get(path, signal);
        const policy = volumeSchema.safeParse(volume ?? {}).data?.spec.persistentVolumeReclaimPolicy;
        return volume === undefined
          ? []
          : [{ claim, policy, target: { kind: 'PersistentVolume', name: bound, path, uid: volume.metadata.uid } }];
      }),
    )
  ).flat();
  const stuckClaims = await deleteAndWait(kubernetes, claims, stall, signal, onStatus);
  const held = new Set(stuckClaims.map(({ namespace, name }) => `${namespace ?? ''}/${name}`));
  const gone = volumes.filter(({ claim }) => !held.has(`${claim.namespace}/${claim.name}`));
  // The cluster deletes them by itself: here they are only waited for.
  const stuckVolumes = await waitOnly(
    kubernetes,
    gone.filter(({ policy }) => policy === 'Delete').map(({ target }) => target),
    stall,
    signal,
    onStatus,
  );
  const retained = gone
    .filter(({ policy }) => policy !== 'Delete')
    .map(
      ({ claim, policy, target }): RemainingObject => ({
        kind: 'PersistentVolume',
        name: target.name,
        state: 'kept',
        reason: `its reclaim policy is ${policy ?? 'unknown'}: the data of ${claim.namespace}/${claim.name} are still on it. If they may go: kubectl delete pv ${target.name}, and whatever stands behind it`,
      }),
    );
  return {
    removed: claims
      .filter(({ namespace, name }) => !held.has(`${namespace}/${name}`))
      .map(({ namespace, name }) => `PersistentVolumeClaim ${namespace}/${name}`),
    remains: [...stuckClaims, ...stuckVolumes, ...retained],
  };
}
