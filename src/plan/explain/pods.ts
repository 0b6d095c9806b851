/** A pod in one row, as `kubectl get pods` prints it, with the reason why it is not ready. */
import { z } from 'zod';
import { isPodReady, podTrouble } from '../health/index.ts';

const schema = z.object({
  metadata: z.object({ name: z.string(), deletionTimestamp: z.string().nullish() }),
  spec: z.object({ nodeName: z.string().nullish() }).prefault({}),
  status: z
    .object({
      phase: z.string().default('Pending'),
      containerStatuses: z
        .array(z.object({ ready: z.boolean().default(false), restartCount: z.number().default(0) }))
        .nullish(),
    })
    .prefault({}),
});

export interface PodRow {
  name: string;
  /** `Running`, `Pending`, …; `Terminating` while it is being deleted. */
  phase: string;
  ready: boolean;
  restarts: number;
  /** Absent while it has none. */
  node?: string;
  /** `CrashLoopBackOff`, `Unschedulable`, … */
  reason?: string;
  message?: string;
}

/** @throws ZodError when the object is no pod */
export function podRow(object: unknown): PodRow {
  const { metadata, spec, status } = schema.parse(object);
  const trouble = podTrouble(object);
  return {
    name: metadata.name,
    phase: metadata.deletionTimestamp ? 'Terminating' : status.phase,
    ready: isPodReady(object),
    restarts: (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
    ...(spec.nodeName ? { node: spec.nodeName } : {}),
    ...(trouble ? { reason: trouble.reason, message: trouble.message } : {}),
  };
}
