import { z } from 'zod';
import { conditions, failed, type Health, healthy, metadata, progressing, trueCondition } from './types.ts';

const schema = z.object({
  metadata,
  spec: z.object({ completions: z.number().nullish(), suspend: z.boolean().nullish() }).prefault({}),
  status: z
    .object({
      active: z.number().default(0),
      terminating: z.number().nullish(),
      succeeded: z.number().default(0),
      failed: z.number().default(0),
      conditions,
    })
    .prefault({}),
});

/** Healthy when it has completed. A Job is not asked for its generation: its template never changes. */
export function jobHealth(object: unknown): Health {
  const { spec, status } = schema.parse(object);
  const failure = trueCondition(status.conditions, 'Failed');
  if (failure)
    return failed(
      `Job failed: ${[failure.reason, failure.message].filter((part) => part !== '').join(', ') || 'no reason given'}`,
    );
  if (trueCondition(status.conditions, 'Complete')) return healthy('Job completed');
  if (spec.suspend) return progressing('Job is suspended');
  const retries = status.failed > 0 ? `, ${status.failed} attempts failed` : '';
  return progressing(
    `Job runs: ${status.succeeded}/${spec.completions ?? 1} completed, ${status.active} active${retries}`,
  );
}

/** An attempt has failed, nothing of it is at work, and Kubernetes waits before it makes the next one. */
export function isBetweenAttempts(object: unknown): boolean {
  const { spec, status } = schema.parse(object);
  const atWork = status.active + (status.terminating ?? 0);
  return jobHealth(object).status === 'progressing' && !spec.suspend && status.failed > 0 && atWork === 0;
}
