/**
 * After an interrupted run: a Helm that had to be killed leaves its release `pending-*`, which would refuse the next
 * one.
 */
import { hasLivingWorker } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { RunRef } from '../../contract/deploy.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import { releaseKey } from '../../plan/observed.ts';
import { type Release, settleOrphan, unlockRelease } from './recover.ts';
import { allNewestRevisions, type Revision } from './revisions.ts';
import type { EffectScope } from '../effect.ts';

/** Touches only what this very run wrote. Helm's records of failed revisions stay: they are what happened. */
export async function settleReleases(
  clients: Clients,
  { run, releases }: InputOf<'settleReleases'>,
  scope: EffectScope,
): OutputOf<'settleReleases'> {
  scope.doing('looks for releases that were left half done');

  const settled: string[] = [];
  for (const release of releases) settled.push(...(await endOrphan(clients, run, release, scope.signal)));
  const newest = await allNewestRevisions(clients.kubernetes, scope.signal);
  for (const release of releases) {
    const revision = newest.get(releaseKey(release.namespace, release.name));
    if (revision?.status.startsWith('pending-') !== true || !(await isOurs(clients, run.runId, release, revision)))
      continue;
    // Without a digest only an unfinished revision is touched, never one that has failed.
    const { recovered } = await unlockRelease(clients, run, release, '', scope.signal);
    if (recovered !== undefined) settled.push(`${release.namespace}/${release.name}: ${recovered}`);
  }
  return { settled };
}

/** A Helm of this run that has lost its worker, and may have written nothing yet. */
async function endOrphan(
  { helm }: Pick<Clients, 'helm'>,
  run: RunRef,
  release: Release,
  signal: AbortSignal,
): Promise<string[]> {
  const process = await helm.alive(release.namespace, release.name, run.clusterUid);
  if (process?.runId !== run.runId || (await hasLivingWorker(process))) return [];
  const { words } = await settleOrphan(release, process, false, signal);
  return [`${release.namespace}/${release.name}: ${words}`];
}

/** A rollback bears the labels of the revision it goes back to: there the process' own record tells. */
async function isOurs(
  { helm }: Pick<Clients, 'helm'>,
  runId: string,
  { namespace, name }: Release,
  { labels }: Revision,
): Promise<boolean> {
  return labels[RELEASE_LABELS.run] === runId || (await helm.interrupted(namespace, name))?.runId === runId;
}
