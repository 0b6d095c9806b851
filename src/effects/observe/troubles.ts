/** Why a release is not healthy, in the words of its pods and volumes. */
import type { KubernetesClient, KubernetesObject } from '../../clients/kubernetes/index.ts';
import { persistentVolumeClaimHealth, podTrouble, troubleText } from '../../plan/health/index.ts';
import type { Release } from '../release/recover.ts';

const MOST = 3;

/** At most three remarks, pods first. */
export function troublesOf(
  kubernetes: Pick<KubernetesClient, 'watches'>,
  release: Release,
  pods: readonly KubernetesObject[],
): string[] {
  const ofPods = pods.flatMap((pod) => {
    const trouble = podTrouble(pod);
    return trouble ? [troubleText(trouble)] : [];
  });
  const ofClaims = kubernetes.watches.of('PersistentVolumeClaim', release.namespace, release.name).flatMap((claim) => {
    const health = persistentVolumeClaimHealth(claim);
    return health.status === 'healthy' ? [] : [health.message];
  });
  return [...ofPods, ...ofClaims].slice(0, MOST);
}
