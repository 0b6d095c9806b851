/**
 * What a namespace's quotas leave, as far as they leave little: the first thing that keeps pods from being made. Pure.
 */
import { z } from 'zod';
import { parseQuantity } from '../../environment/fields/formats/quantity.ts';

const amounts = z.record(z.string(), z.union([z.string(), z.number()]).transform(String)).nullish();
const schema = z.object({
  metadata: z.object({ name: z.string() }),
  status: z.object({ hard: amounts, used: amounts }).prefault({}),
});

/** Above this share of a quota the next pod may be one too many. */
const TIGHT_PERCENT = 90n;

/** @returns `quota compute of apps: pods 10 of 10`; undefined where enough is left, or for what is no quota */
export function tightQuota(object: unknown, namespace: string): string | undefined {
  const parsed = schema.safeParse(object);
  if (!parsed.success) return undefined;
  const { hard, used } = parsed.data.status;
  const tight = Object.entries(hard ?? {}).flatMap(([resource, most]) => {
    const now = used?.[resource];
    const [limit, taken] = [parseQuantity(most), now === undefined ? undefined : parseQuantity(now)];
    if (limit === undefined || taken === undefined || taken * 100n < limit * TIGHT_PERCENT) return [];
    return [`${resource} ${now} of ${most}`];
  });
  return tight.length === 0 ? undefined : `quota ${parsed.data.metadata.name} of ${namespace}: ${tight.join(', ')}`;
}
