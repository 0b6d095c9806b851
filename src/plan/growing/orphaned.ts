/** Pods whose StatefulSet was deleted without them; the StatefulSet that is created again adopts them. Pure. */
import { z } from 'zod';

const POD_NAME = 'statefulset.kubernetes.io/pod-name';
const schema = z.object({
  metadata: z.object({
    name: z.string(),
    labels: z.record(z.string(), z.string()).nullish(),
    deletionTimestamp: z.string().nullish(),
    ownerReferences: z.array(z.looseObject({ controller: z.boolean().nullish() })).nullish(),
  }),
});

/** @returns names of the pods; an empty list where every StatefulSet is in its place */
export function orphanedPods(pods: readonly unknown[]): string[] {
  return pods.flatMap((pod) => {
    const parsed = schema.safeParse(pod);
    if (!parsed.success) return [];
    const { name, labels, deletionTimestamp, ownerReferences } = parsed.data.metadata;
    const controlled = (ownerReferences ?? []).some(({ controller }) => controller === true);
    return labels?.[POD_NAME] === name && !controlled && !deletionTimestamp ? [name] : [];
  });
}
