/**
 * The simulator acts on events alone: a claim whose event it missed, or whose volume it could not make because the API
 * server or etcd was away, would stay without one for ever. Touching the claim makes a new event.
 */
import { z } from 'zod';
import type { Api } from './api.ts';
import { STORAGE_CLASS } from './stages/volumes.ts';
import { OVERDUE_MS, touchAll } from './touch.ts';

const claimsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), namespace: z.string(), creationTimestamp: z.string() }),
      spec: z.object({ storageClassName: z.string().nullish(), volumeName: z.string().nullish() }),
    }),
  ),
});

/** @returns the claims that were touched, as `namespace/name`. @throws ApiError when the API server does not answer */
export async function requeueOverdueClaims(api: Pick<Api, 'request'>, now: number = Date.now()): Promise<string[]> {
  const { items } = claimsSchema.parse(await api.request('GET', '/api/v1/persistentvolumeclaims'));
  const overdue = items.filter(
    ({ metadata, spec }) =>
      spec.storageClassName === STORAGE_CLASS &&
      !spec.volumeName &&
      now - Date.parse(metadata.creationTimestamp) > OVERDUE_MS,
  );
  return touchAll(api, 'persistentvolumeclaims', overdue, now);
}
