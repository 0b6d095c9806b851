import { z } from 'zod';
import { type Health, healthy, metadata, progressing, unobserved } from './types.ts';

const schema = z.object({
  metadata,
  spec: z.object({ updateStrategy: z.object({ type: z.string().default('RollingUpdate') }).prefault({}) }).prefault({}),
  status: z
    .object({
      observedGeneration: z.number().optional(),
      desiredNumberScheduled: z.number().default(0),
      updatedNumberScheduled: z.number().default(0),
      numberAvailable: z.number().default(0),
    })
    .prefault({}),
});

/** Healthy when every node that should run it does, with the newest template unless the strategy is `OnDelete`. */
export function daemonSetHealth(object: unknown): Health {
  const { metadata: meta, spec, status } = schema.parse(object);
  const stale = unobserved(meta.generation, status.observedGeneration);
  if (stale) return stale;
  const wanted = status.desiredNumberScheduled;
  if (spec.updateStrategy.type !== 'OnDelete' && status.updatedNumberScheduled < wanted)
    return progressing(`${status.updatedNumberScheduled}/${wanted} nodes updated`);
  if (status.numberAvailable < wanted) return progressing(`${status.numberAvailable}/${wanted} nodes available`);
  return healthy(`${status.numberAvailable}/${wanted} nodes available`);
}
