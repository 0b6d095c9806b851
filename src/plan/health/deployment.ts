import { z } from 'zod';
import { conditions, type Health, healthy, metadata, progressing, unobserved } from './types.ts';

const schema = z.object({
  metadata,
  spec: z.object({ replicas: z.number().nullish(), paused: z.boolean().nullish() }).prefault({}),
  status: z
    .object({
      observedGeneration: z.number().optional(),
      replicas: z.number().default(0),
      updatedReplicas: z.number().default(0),
      availableReplicas: z.number().default(0),
      conditions,
    })
    .prefault({}),
});

/** Healthy when every replica runs the newest template, is available, and none of an older one is left. */
export function deploymentHealth(object: unknown): Health {
  const { metadata: meta, spec, status } = schema.parse(object);
  const wanted = spec.replicas ?? 1;
  const stale = unobserved(meta.generation, status.observedGeneration);
  if (stale) return stale;
  if (spec.paused) return progressing('its rollout is paused');
  if (status.updatedReplicas < wanted)
    return progressing(`${status.updatedReplicas}/${wanted} replicas updated${stuck(status.conditions)}`);
  if (status.replicas > status.updatedReplicas)
    return progressing(`${status.replicas - status.updatedReplicas} old replicas have yet to end`);
  if (status.availableReplicas < wanted)
    return progressing(`${status.availableReplicas}/${wanted} replicas available${stuck(status.conditions)}`);
  return healthy(`${status.availableReplicas}/${wanted} replicas available`);
}

/** Kubernetes goes on trying after its own deadline, so this is a remark and not an end. */
function stuck(list: z.infer<typeof conditions>): string {
  const failure =
    list.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True') ??
    list.find(({ reason }) => reason === 'ProgressDeadlineExceeded');
  return failure ? ` (${failure.reason}: ${failure.message})` : '';
}
