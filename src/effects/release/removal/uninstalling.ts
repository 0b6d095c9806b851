/**
 * A release that somebody's `helm uninstall` has left in the middle: refused by an admission policy, killed, cut off.
 * Helm upgrades no such release. Once nobody is at work on it, Helm's record of that revision alone is removed: what is
 * left of its objects, volumes among them, stays, and the next upgrade adopts it and makes what is missing.
 */
import { DeployError } from '../../../contract/errors.ts';
import type { Clients } from '../../../clients/index.ts';
import { WATCHED_KINDS } from '../../../clients/kubernetes/index.ts';
import { FAILURES } from '../../../contract/failures.ts';
import { type Release, removeRecord } from '../recover.ts';
import type { Revision } from '../revisions.ts';

/**
 * A running uninstall deletes objects within seconds, and objects that it then waits for can be seen to disappear.
 * Without either for this long, nobody is at work.
 */
const SILENCE_SECONDS = 30;
/** Helm's own default for what it may wait for. */
const LONGEST_SECONDS = 330;

/**
 * @param revision the newest
 * @returns in words what was done; undefined where there was nothing to do
 * @throws DeployError ReleaseBusy as long as somebody may be at work on it
 */
export async function recoverUninstalling(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  release: Release,
  revision: Revision | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (revision?.status !== 'uninstalling') return undefined;
  const { namespace, name } = release;
  const since = new Date(revision.writtenAt * 1000).toISOString();
  const going = WATCHED_KINDS.flatMap((kind) => kubernetes.watches.of(kind, namespace, name)).filter(
    ({ metadata }) => metadata.deletionTimestamp,
  );
  const age = kubernetes.serverTime() / 1000 - revision.writtenAt;
  const left = Math.ceil((going.length > 0 ? LONGEST_SECONDS : SILENCE_SECONDS) - age);
  if (left > 0) {
    const deleted = going.map(({ metadata }) => metadata.name).join(', ');
    throw new DeployError(
      FAILURES.releaseBusy,
      `revision ${revision.revision} of ${namespace}/${name} is uninstalling since ${since}: somebody's helm uninstall is at work on it, or was interrupted.${deleted === '' ? '' : ` It has deleted ${deleted}.`} Without a further sign of it this goes on in ${left} s`,
    );
  }
  await removeRecord({ kubernetes }, release, revision, signal);
  return `somebody's helm uninstall of revision ${revision.revision} had stopped in the middle (${since}); that record was removed, what was left of its objects was kept`;
}
