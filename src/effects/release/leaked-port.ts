/**
 * A NodePort that is allocated to nobody. The API server allocates a Service's ports before it writes the Service; a
 * request that is cut off in between, by a Helm that was killed, leaves them allocated. It finds such a leak by itself,
 * within ten minutes or so.
 */
import { DeployError } from '../../contract/errors.ts';
import { z } from 'zod';
import { HelmError } from '../../clients/helm/index.ts';
import type { KubernetesClient } from '../../clients/kubernetes/index.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { Release } from './recover.ts';

const TAKEN = /nodePort: Invalid value: (\d+): provided port is already allocated/;
/** The API server looks every three minutes, and frees a port that it has found leaked three times. */
const LEAK_MILLISECONDS = 15 * 60_000;
const serviceSchema = z.object({
  spec: z.object({ ports: z.array(z.object({ nodePort: z.number().optional() })).default([]) }),
});

/**
 * @param sinceMilliseconds for how long the release has been tried
 * @returns for a port that is taken: who has it, or that it is free soon (then it is tried again); any other error as
 * it is
 */
export async function explainTakenPort(
  kubernetes: Pick<KubernetesClient, 'list'>,
  release: Release,
  error: unknown,
  sinceMilliseconds: number,
  signal: AbortSignal,
): Promise<unknown> {
  const port = error instanceof HelmError ? TAKEN.exec(error.message)?.[1] : undefined;
  if (port === undefined) return error;
  const { items } = await kubernetes.list('/api/v1/services', {}, signal);
  const holder = items.find((service) =>
    serviceSchema.parse(service).spec.ports.some(({ nodePort }) => nodePort === Number(port)),
  );
  if (holder !== undefined) {
    return new DeployError(
      FAILURES.rejectedByCluster,
      `${release.name} wants NodePort ${port}, which Service ${holder.metadata.namespace}/${holder.metadata.name} has. Change or remove that Service, or give the port in the catalog another number; then deploy again.`,
    );
  }
  if (sinceMilliseconds > LEAK_MILLISECONDS) return error;
  return new DeployError(
    FAILURES.helmInterrupted,
    `${release.name} wants NodePort ${port}, which is allocated although no Service has it: an interrupted request has left that behind. The API server frees it within ten minutes or so; waiting for that`,
  );
}
