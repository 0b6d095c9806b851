/**
 * Uninstalls one release. Volumes stay: claims made by a StatefulSet belong to no release, others are marked to be
 * kept. Running it again after a lost acknowledgement, a killed worker or a killed Helm leads to the same end.
 */
import { HelmError } from '../../../clients/helm/index.ts';
import type { Clients } from '../../../clients/index.ts';
import { paths } from '../../../clients/kubernetes/index.ts';
import type { InputOf, OutputOf } from '../../../contract/activities.ts';
import { ownNames } from '../../owner/claim.ts';
import { waitForDeletion } from './deletion.ts';
import { removeOrphans } from '../orphans.ts';
import { type Release, unlockRelease } from '../recover.ts';
import { assertOurs } from '../ours.ts';
import { revisionsOf } from '../revisions.ts';
import type { EffectScope } from '../../effect.ts';

export async function removeRelease(
  clients: Clients,
  { run, step, priority }: InputOf<'removeRelease'>,
  scope: EffectScope,
): OutputOf<'removeRelease'> {
  const { kubernetes, helm, environment } = clients;
  scope.doing('looks at what is there');

  const started = performance.now();
  const release = { namespace: step.namespace, name: step.name };
  const revisions = await revisionsOf(kubernetes, release.namespace, release.name, scope.signal);
  const found = revisions.at(-1);
  await assertOurs(clients, release, revisions, scope.signal);

  scope.doing('makes sure that nobody else is at work on it');
  const { revision } = await unlockRelease(clients, run, release, step.digest, scope.signal, {
    letFinish: true,
    again: scope.attempt > 1,
  });
  // What an unfinished revision had created is in no record.
  let complete = found?.status === 'deployed' && revision?.revision === found.revision;
  if (revision && revision.status !== 'uninstalled') {
    scope.doing('waits for its turn with Helm');
    complete =
      (await uninstalled(() =>
        helm.uninstall({
          namespace: release.namespace,
          release: release.name,
          runId: run.runId,
          clusterUid: run.clusterUid,
          priority,
          signal: scope.signal,
          onTurn: async () => {
            await scope.assertOurs();
            scope.doing('Helm is at work');
          },
        }),
      )) && complete;
  }
  if (!complete) {
    scope.doing('removes what no record of Helm tells');
    const owners = await ownNames(kubernetes, environment.name);
    const left = await removeOrphans(kubernetes, release, owners, scope.signal);
    const records = await removeRecords(clients, release, scope.signal);
    if (!found && left.length + records === 0) return { removed: false, seconds: seconds(started) };
  }
  await waitForDeletion(kubernetes, release, environment.deletionProgressDeadlineSeconds, scope.signal, (text) => {
    scope.doing(text);
  });
  return { removed: true, seconds: seconds(started) };
}

/**
 * @returns false where Helm cannot remove everything by itself, because kinds of the release are gone from the cluster
 */
async function uninstalled(attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt();
    return true;
  } catch (error) {
    if (error instanceof HelmError && /no matches for kind|resource mapping not found/.test(error.message))
      return false;
    throw error;
  }
}

/** Helm's own record, where Helm could not remove it. */
async function removeRecords(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  { namespace, name }: Release,
  signal: AbortSignal,
): Promise<number> {
  const { items } = await kubernetes.list(
    paths.secrets(namespace),
    { labelSelector: `owner=helm,name=${name}`, metadataOnly: true },
    signal,
  );
  await Promise.all(
    items.map(({ metadata }) =>
      kubernetes.remove(paths.secret(namespace, metadata.name), { uid: metadata.uid }, signal),
    ),
  );
  return items.length;
}

function seconds(since: number): number {
  return Math.round(performance.now() - since) / 1000;
}
