import { z } from 'zod';
import { type Health, healthy, metadata, progressing, unobserved } from './types.ts';

const schema = z.object({
  metadata,
  spec: z
    .object({
      replicas: z.number().nullish(),
      updateStrategy: z
        .object({
          type: z.string().default('RollingUpdate'),
          rollingUpdate: z.object({ partition: z.number().nullish() }).nullish(),
        })
        .prefault({}),
    })
    .prefault({}),
  status: z
    .object({
      observedGeneration: z.number().optional(),
      replicas: z.number().default(0),
      readyReplicas: z.number().default(0),
      availableReplicas: z.number().optional(),
      updatedReplicas: z.number().default(0),
      currentRevision: z.string().default(''),
      updateRevision: z.string().default(''),
    })
    .prefault({}),
});

/**
 * Healthy when every replica is available and runs the newest template. With `OnDelete` nobody replaces running pods,
 * so their template is not asked for; with a partition only the replicas above it count.
 */
export function statefulSetHealth(object: unknown): Health {
  const { metadata: meta, spec, status } = schema.parse(object);
  const wanted = spec.replicas ?? 1;
  const stale = unobserved(meta.generation, status.observedGeneration);
  if (stale) return stale;
  const available = status.availableReplicas ?? status.readyReplicas;
  const ready = Math.min(available, status.readyReplicas);
  if (ready < wanted) return progressing(`${ready}/${wanted} replicas ready`);
  if (status.replicas > wanted) return progressing(`${status.replicas - wanted} replicas too many have yet to end`);
  if (spec.updateStrategy.type === 'OnDelete') {
    const old =
      status.updateRevision !== '' &&
      status.currentRevision !== status.updateRevision &&
      status.updatedReplicas < wanted;
    return healthy(`${ready}/${wanted} replicas ready${old ? ', older ones are replaced when they are deleted' : ''}`);
  }
  const partition = spec.updateStrategy.rollingUpdate?.partition ?? 0;
  const toUpdate = Math.max(0, wanted - partition);
  if (
    partition > 0
      ? status.updatedReplicas < toUpdate
      : status.currentRevision !== status.updateRevision && status.updatedReplicas < wanted
  ) {
    return progressing(`${status.updatedReplicas}/${toUpdate} replicas updated`);
  }
  return healthy(`${ready}/${wanted} replicas ready`);
}
