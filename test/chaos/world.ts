/** What runs in the cluster, as far as the outcome of a run is judged by it. */
import { z } from 'zod';
import type { KubernetesClient } from '../../src/clients/kubernetes/index.ts';
import { type Facts, factsOf } from '../support/sandbox/cluster-facts.ts';

export interface World extends Facts {
  /** Workload to the tag of its first image. */
  tags: Record<string, string>;
  /** `namespace/name` of claims to uids, the bystander's left out. */
  claims: Record<string, string>;
}

const workloadSchema = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) }) }),
});

export async function worldOf(kubernetes: KubernetesClient): Promise<World> {
  const [facts, deployments, statefulSets, claims] = await Promise.all([
    factsOf(kubernetes),
    kubernetes.list('/apis/apps/v1/deployments'),
    kubernetes.list('/apis/apps/v1/statefulsets'),
    kubernetes.list('/api/v1/persistentvolumeclaims', { metadataOnly: true }),
  ]);
  const tags: World['tags'] = {};
  for (const item of [...deployments.items, ...statefulSets.items]) {
    const { metadata, spec } = workloadSchema.parse(item);
    const image = spec.template.spec.containers[0]?.image ?? '';
    tags[metadata.name] = /:([^:/@]+)(?:@.*)?$/.exec(image)?.[1] ?? image;
  }
  return {
    ...facts,
    tags,
    claims: Object.fromEntries(
      claims.items.map(({ metadata: { namespace, name, uid } }) => [`${namespace ?? ''}/${name}`, uid]),
    ),
  };
}
