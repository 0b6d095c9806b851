/** Whether quotas of a namespace leave room for claims that grow. Pure. */
import { z } from 'zod';
import type { ClaimGrowth } from '../../contract/growing.ts';
import { bytesOf, compareSizes } from './live.ts';

const amounts = z.record(z.string(), z.union([z.string(), z.number()]).transform(String)).nullish();
const schema = z.object({
  metadata: z.object({ name: z.string() }),
  status: z.object({ hard: amounts, used: amounts }).prefault({}),
});

const ALL = 'requests.storage';

/**
 * The API server compares when a claim is patched, which is after the plan: one that would be refused then is now.
 * @param claims with what each asks for today
 * @returns one line for each quota and resource that is too small
 */
export function quotaProblems(
  quotas: readonly unknown[],
  claims: readonly (Pick<ClaimGrowth, 'to' | 'storageClass'> & { request: string })[],
): string[] {
  return quotas.flatMap((quota) => {
    const parsed = schema.safeParse(quota);
    if (!parsed.success) return [];
    const { hard, used } = parsed.data.status;
    return Object.entries(hard ?? {}).flatMap(([resource, most]) => {
      const counted = claims.filter(
        ({ storageClass }) =>
          resource === ALL || resource === `${storageClass ?? ''}.storageclass.storage.k8s.io/${ALL}`,
      );
      const more = counted.reduce(
        (sum, { to, request }) => (compareSizes(to, request) > 0 ? sum + bytesOf(to) - bytesOf(request) : sum),
        0n,
      );
      const now = used?.[resource] ?? '0';
      if (more === 0n || bytesOf(now) + more <= bytesOf(most)) return [];
      return [
        `quota ${parsed.data.metadata.name} leaves too little: ${resource} ${now} of ${most} is used, and ${gibibytes(more)} more would be`,
      ];
    });
  });
}

function gibibytes(bytes: bigint): string {
  const hundredths = (bytes * 100n) / 2n ** 30n;
  return `${Number(hundredths) / 100}Gi`;
}
