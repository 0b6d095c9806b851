/** What nodes report that they really run, for images that are named by a tag. Simulated nodes report no digest. */
import { z } from 'zod';
import type { Watches } from '../../clients/kubernetes/index.ts';

const podSchema = z.object({
  spec: z.object({ containers: z.array(z.object({ name: z.string(), image: z.string() })).default([]) }).prefault({}),
  status: z
    .object({ containerStatuses: z.array(z.object({ name: z.string(), imageID: z.string().nullish() })).nullish() })
    .prefault({}),
});
const DIGEST = /(sha256:[0-9a-f]{64})$/;

/** By image, as the pods of the release name it. */
export function imageDigests(
  watches: Pick<Watches, 'of'>,
  { namespace, name }: { namespace: string; name: string },
): Map<string, string> {
  return new Map(
    watches.of('Pod', namespace, name).flatMap((pod) => {
      const { spec, status } = podSchema.parse(pod);
      return (status.containerStatuses ?? []).flatMap((reported): [string, string][] => {
        const image = spec.containers.find((container) => container.name === reported.name)?.image;
        const digest = DIGEST.exec(reported.imageID ?? '')?.[1];
        return image === undefined || digest === undefined ? [] : [[image, digest]];
      });
    }),
  );
}

/** @param known from the version before, where no pod shows it now */
export function withDigest(
  image: string,
  digests: ReadonlyMap<string, string>,
  known?: string,
): { image: string; digest?: string } {
  const digest = digests.get(image) ?? known ?? DIGEST.exec(image)?.[1];
  return { image, ...(digest === undefined ? {} : { digest }) };
}
