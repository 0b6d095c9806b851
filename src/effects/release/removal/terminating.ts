/** Namespaces that are being deleted: waited for as long as something moves, then what holds them is named. */
import { DeployError } from '../../../contract/errors.ts';
import { z } from 'zod';
import { HelmError } from '../../../clients/helm/index.ts';
import { type KubernetesClient, type KubernetesObject, paths } from '../../../clients/kubernetes/index.ts';
import { FAILURES } from '../../../contract/failures.ts';
import { LOOK_MILLISECONDS, waitOnly, whatHolds } from '../../destroy/deletion.ts';

/** Without any progress, beyond the time that pods may take to end. */
const STALL_SECONDS = 10;
const podSchema = z.object({
  metadata: z.looseObject({ deletionGracePeriodSeconds: z.number().nullish() }),
  spec: z.object({ terminationGracePeriodSeconds: z.number().nullish() }).prefault({}),
});

export function isTerminating({ metadata }: Pick<KubernetesObject, 'metadata'>): boolean {
  return Boolean(metadata.deletionTimestamp);
}

/**
 * Until they have gone.
 * @param namespaces as the API server has them, being deleted
 * @throws DeployError Stuck that names what holds each, with the lines to run
 */
export async function awaitNamespacesGone(
  kubernetes: KubernetesClient,
  namespaces: readonly KubernetesObject[],
  signal: AbortSignal,
  onStatus: (text: string) => void,
  stallSeconds = STALL_SECONDS,
): Promise<void> {
  const held = await Promise.all(
    namespaces.map(async ({ metadata: { name, uid } }) => {
      const seconds = stallSeconds + (await graceOf(kubernetes, name, signal));
      const target = { kind: 'Namespace', name, path: paths.namespace(name), uid };
      return waitOnly(kubernetes, [target], { seconds, lookMilliseconds: LOOK_MILLISECONDS }, signal, onStatus);
    }),
  );
  const stuck = held.flat();
  if (stuck.length === 0) return;
  throw new DeployError(
    FAILURES.stuck,
    `${stuck
      .map(({ name, reason }) => `Namespace ${name} is being deleted, and does not go: ${reason}`)
      .join('\n')}\nOnce ${stuck.length === 1 ? 'it has' : 'they have'} gone, run the same again: ${
      stuck.length === 1 ? 'it is' : 'they are'
    } made anew.`,
  );
}

/**
 * For Helm's error that nothing can be made in a namespace that is being deleted.
 * @returns for that error what holds the namespace, and what to do; any other error as it is
 */
export async function explainTerminating(
  kubernetes: KubernetesClient,
  namespace: string,
  error: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  if (!(error instanceof HelmError) || !/because it is being terminated/.test(error.message)) return error;
  const found = await kubernetes.get(paths.namespace(namespace), signal);
  // It is deleted by now, or was made anew: the next attempt shows which.
  if (found === undefined || !isTerminating(found)) return error;
  return new DeployError(
    FAILURES.stuck,
    `Namespace ${namespace} has been deleted by somebody since ${found.metadata.deletionTimestamp ?? ''}, in the middle of this: ${await whatHolds(kubernetes, found, signal)}. Deploy again: the deployment waits until it has gone, and makes it anew with all that belongs in it.`,
  );
}

/** Seconds that pods of the namespace may still take to end. */
async function graceOf(kubernetes: KubernetesClient, namespace: string, signal: AbortSignal): Promise<number> {
  const { items } = await kubernetes.list(paths.pods(namespace), {}, signal);
  return Math.max(
    0,
    ...items.map((pod) => {
      const { metadata, spec } = podSchema.parse(pod);
      return metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 0;
    }),
  );
}
