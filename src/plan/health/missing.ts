import { z } from 'zod';

const count = z.number().default(0);
const schema = z.object({
  spec: z.object({ replicas: z.number().nullish(), suspend: z.boolean().nullish() }).prefault({}),
  status: z
    .object({
      replicas: count,
      updatedReplicas: count,
      desiredNumberScheduled: count,
      currentNumberScheduled: count,
      active: count,
      succeeded: count,
      failed: count,
    })
    .prefault({}),
});

/** How many pods a workload should have made and has not: none of them can become healthy before. */
export function missingPods({ kind, object }: { kind: string; object: unknown }): number {
  const { spec, status } = schema.parse(object);
  const wanted = spec.replicas ?? 1;
  if (kind === 'Deployment') return Math.max(0, wanted - status.updatedReplicas);
  if (kind === 'StatefulSet') return Math.max(0, wanted - status.replicas);
  if (kind === 'DaemonSet') return Math.max(0, status.desiredNumberScheduled - status.currentNumberScheduled);
  return spec.suspend !== true && status.active + status.succeeded + status.failed === 0 ? 1 : 0;
}
