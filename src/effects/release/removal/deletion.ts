/** After an uninstall: workloads and pods of the release end, or what holds them is named. */
import { DeployError } from '../../../contract/errors.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { KubernetesClient, KubernetesObject, WatchedKind } from '../../../clients/kubernetes/index.ts';
import { paths } from '../../../clients/kubernetes/index.ts';
import { FAILURES } from '../../../contract/failures.ts';
import type { Release } from '../recover.ts';

const KINDS: readonly WatchedKind[] = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'Pod'];
const LOOK_MILLISECONDS = 1000;

const metadataSchema = z.looseObject({
  finalizers: z.array(z.string()).nullish(),
  deletionGracePeriodSeconds: z.number().nullish(),
});

/** Finalizers of an object: who has to do something before it may go. */
export function finalizersOf({ metadata }: Pick<KubernetesObject, 'metadata'>): string[] {
  return metadataSchema.parse(metadata).finalizers ?? [];
}

/**
 * Waits as long as something moves.
 * @param stallSeconds without any progress, beyond the grace period that a pod asks for itself
 * @throws DeployError Stuck, naming the objects and what holds each
 */
export async function waitForDeletion(
  kubernetes: KubernetesClient,
  release: Release,
  stallSeconds: number,
  signal: AbortSignal,
  onStatus: (text: string) => void,
): Promise<void> {
  await kubernetes.watches.synced(signal);
  let before = '';
  let movedAt = performance.now();
  for (;;) {
    const left = KINDS.flatMap((kind) =>
      kubernetes.watches.of(kind, release.namespace, release.name).map((object) => ({ kind, object })),
    );
    // The watch may not yet have delivered a pod that a controller made in its last moment.
    if (left.length === 0 && (await podsLeft(kubernetes, release, signal)) === 0) return;
    const now = left
      .map(
        ({ object: { metadata } }) =>
          `${metadata.uid} ${metadata.deletionTimestamp ?? ''} ${finalizersOf({ metadata }).join()}`,
      )
      .sort()
      .join('\n');
    if (now !== before) movedAt = performance.now();
    before = now;
    onStatus(`waits for ${left.map(({ kind, object }) => `${kind} ${object.metadata.name}`).join(', ')} to end`);
    const grace = Math.max(
      0,
      ...left.map(({ object }) => metadataSchema.parse(object.metadata).deletionGracePeriodSeconds ?? 0),
    );
    if (performance.now() - movedAt > (stallSeconds + grace) * 1000) {
      throw new DeployError(
        FAILURES.stuck,
        `${release.name} in ${release.namespace} was uninstalled, but does not go away: ${left.map(({ kind, object }) => holderText(kind, object)).join('; ')}`,
      );
    }
    await changed(kubernetes, release, signal);
  }
}

/** `Pod x: finalizer y`, or that nothing ends it. */
export function holderText(kind: string, object: KubernetesObject): string {
  const finalizers = finalizersOf(object);
  const why =
    finalizers.length > 0
      ? `held by finalizer ${finalizers.join(', ')}`
      : object.metadata.deletionTimestamp
        ? 'being deleted, and nobody reports its end (is its node there?)'
        : 'nobody has deleted it (does the garbage collector run?)';
  return `${kind} ${object.metadata.name}: ${why}`;
}

async function podsLeft(
  kubernetes: KubernetesClient,
  { namespace, name }: Release,
  signal: AbortSignal,
): Promise<number> {
  const { items } = await kubernetes.list(
    paths.pods(namespace),
    { labelSelector: `app.kubernetes.io/instance=${name}`, metadataOnly: true, limit: 1 },
    signal,
  );
  return items.length;
}

/** Until the watches deliver a change, or for a moment. */
async function changed(kubernetes: KubernetesClient, { namespace, name }: Release, signal: AbortSignal): Promise<void> {
  const heard = new AbortController();
  const end = kubernetes.watches.listen(namespace, name, () => heard.abort());
  try {
    await sleep(LOOK_MILLISECONDS, undefined, { signal: AbortSignal.any([signal, heard.signal]) });
  } catch {
    signal.throwIfAborted();
  } finally {
    end();
  }
}
