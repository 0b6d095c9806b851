import { z } from 'zod';
import { failed, type Health, healthy, metadata, progressing } from './types.ts';

const schema = z.object({
  metadata,
  spec: z.object({ storageClassName: z.string().nullish() }).prefault({}),
  status: z.object({ phase: z.string().default('Pending') }).prefault({}),
});

export function persistentVolumeClaimHealth(object: unknown): Health {
  const { metadata: meta, spec, status } = schema.parse(object);
  if (status.phase === 'Bound') return healthy('bound');
  if (status.phase === 'Lost') return failed(`volume claim ${meta.name} has lost its volume`);
  return progressing(
    `volume claim ${meta.name} is not bound yet (storage class ${spec.storageClassName ?? 'not set: the cluster has no default one'})`,
  );
}
