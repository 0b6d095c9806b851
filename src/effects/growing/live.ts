/** What a release has of claims, StatefulSets and pods: as the watches know it, at no cost. */
import type { KubernetesClient, KubernetesObject } from '../../clients/kubernetes/index.ts';
import { valueAtPath } from '../../plan/fields/path.ts';
import { orphanedPods } from '../../plan/growing/orphaned.ts';
import { seenSet } from '../../plan/growing/live.ts';
import type { Release } from '../release/recover.ts';

export interface LiveStorage {
  claims: KubernetesObject[];
  sets: KubernetesObject[];
}

export function knownStorage(
  { watches }: Pick<KubernetesClient, 'watches'>,
  { namespace, name }: Release,
): LiveStorage {
  return {
    claims: watches.of('PersistentVolumeClaim', namespace, name),
    sets: watches.of('StatefulSet', namespace, name).filter((set) => seenSet(set) !== undefined),
  };
}

/** Names of pods whose StatefulSet was deleted without them. */
export function knownOrphans({ watches }: Pick<KubernetesClient, 'watches'>, { namespace, name }: Release): string[] {
  return orphanedPods(watches.of('Pod', namespace, name));
}

/** Whether a pod that is not ending mounts it. */
export function isMounted(
  { watches }: Pick<KubernetesClient, 'watches'>,
  { namespace, name }: Release,
  claim: string,
): boolean {
  return watches
    .of('Pod', namespace, name)
    .filter(({ metadata }) => !metadata.deletionTimestamp)
    .some((pod) => claimsOfPod(pod).includes(claim));
}

/** Names of the claims that it mounts. */
export function claimsOfPod(pod: KubernetesObject): string[] {
  const volumes = valueAtPath(pod, ['spec', 'volumes']);
  return (Array.isArray(volumes) ? volumes : []).flatMap((volume: unknown) => {
    const name = valueAtPath(volume, ['persistentVolumeClaim', 'claimName']);
    return typeof name === 'string' ? [name] : [];
  });
}
