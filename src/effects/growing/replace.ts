/**
 * A StatefulSet that goes without its pods, so that the upgrade after it makes it anew with larger claim templates: it
 * adopts the pods that run, since selector and pod template stay.
 */
import type { Clients } from '../../clients/index.ts';
import { type KubernetesObject, paths } from '../../clients/kubernetes/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { SetReplacement } from '../../contract/growing.ts';
import { foreignOwner } from '../../plan/ownership/foreign-object.ts';
import { compareSizes, seenSet } from '../../plan/growing/live.ts';
import type { EffectScope } from '../effect.ts';
import { ownNames } from '../owner/claim.ts';
import { assertOurs } from '../release/ours.ts';
import { judgedRevisionsOf } from '../release/provenance.ts';
import { createDeadline } from '../wait/deadline.ts';

/** The garbage collector takes the pods' owner away first; that takes a second or two. */
const GOING_SECONDS = 120;
const LOOK_AGAIN_MILLISECONDS = 1000;

/** One that is gone, or that has the wanted templates by now, is done: an attempt before this one has been here. */
export async function replaceStatefulSets(
  clients: Clients,
  { step, sets }: InputOf<'replaceStatefulSets'>,
  scope: EffectScope,
): OutputOf<'replaceStatefulSets'> {
  const release = { namespace: step.namespace, name: step.name };
  scope.doing('deletes its StatefulSet without its pods');
  await assertOurs(clients, release, await judgedRevisionsOf(clients, release, scope.signal), scope.signal);
  const replaced: string[] = [];
  for (const set of sets) if (await orphan(clients, release, set, scope)) replaced.push(set.name);
  return { replaced };
}

/** @returns false where there was nothing to do */
async function orphan(
  { kubernetes, environment }: Pick<Clients, 'kubernetes' | 'environment'>,
  release: { namespace: string; name: string },
  set: SetReplacement,
  scope: EffectScope,
): Promise<boolean> {
  const { signal } = scope;
  const path = `${paths.statefulSets(release.namespace)}/${set.name}`;
  const live = await kubernetes.get(path, signal);
  if (live === undefined || isAsWanted(live, set)) return false;
  const whose = foreignOwner(live, release, await ownNames(kubernetes, environment.name));
  if (whose !== undefined)
    throw new DeployError(
      FAILURES.notOurs,
      `StatefulSet ${release.namespace}/${set.name} would be replaced for its larger claims, and ${whose}. It was not touched.`,
    );
  const { uid } = live.metadata;
  if (!live.metadata.deletionTimestamp) {
    await scope.assertOurs();
    await kubernetes.remove(path, { uid, propagation: 'Orphan' }, signal);
  }
  const deadline = createDeadline({ limitSeconds: GOING_SECONDS, spentSeconds: 0, signal });
  const unlisten = kubernetes.watches.listen(release.namespace, release.name, () => {
    deadline.wake();
  });
  try {
    for (;;) {
      const now = await kubernetes.get(path, signal);
      if (now === undefined || now.metadata.uid !== uid) return true;
      if (deadline.isOver()) throw hangs(release.namespace, set.name, now);
      await deadline.pause(LOOK_AGAIN_MILLISECONDS);
    }
  } finally {
    unlisten();
  }
}

function isAsWanted(live: KubernetesObject, { sizes }: SetReplacement): boolean {
  const seen = seenSet(live);
  return (
    seen !== undefined &&
    Object.entries(sizes).every(([template, size]) => compareSizes(seen.sizes.get(template) ?? '0', size) === 0)
  );
}

function hangs(namespace: string, name: string, { metadata }: KubernetesObject): DeployError {
  const finalizers = Array.isArray(metadata['finalizers']) ? metadata['finalizers'].join(', ') : '';
  return new DeployError(
    FAILURES.stuck,
    `StatefulSet ${namespace}/${name} was deleted without its pods and has not gone within ${GOING_SECONDS} s${finalizers === '' ? '' : ` (finalizers: ${finalizers}; "orphan" is taken off by kube-controller-manager)`}. Its pods run on; the next attempt goes on from here.`,
  );
}
