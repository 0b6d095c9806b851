/**
 * After an interrupted run: a Helm that had to be killed leaves its release `pending-*`, which would refuse the next
 * one.
 */
import { hasLivingWorker } from '../../clients/helm/index.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { RunRef } from '../../contract/operations/deploy.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import { releaseKey } from '../../plan/observed.ts';
import { type Release, unlockRelease } from './recover.ts';
import { allNewestRevisions, type Revision } from './revisions.ts';
import type { EffectScope } from '../effect.ts';

/** Touches only what this very run wrote. Helm's records of failed revisions stay: they are what happened. */
export async function unlockReleases(
  clients: Clients,
  { run, releases }: InputOf<'settleReleases'>,
  scope: EffectScope,
): OutputOf<'settleReleases'> {
  scope.doing('looks for releases that were left half done');

  const settled: string[] = [];
  const newest = await allNewestRevisions(clients.kubernetes, scope.signal);
  for (const release of releases) {
    const again = await isLeftAtWork(clients, run, release);
    const revision = newest.get(releaseKey(release.namespace, release.name));
    if (!again && !(await isLeftPending(clients, run.runId, release, revision))) continue;
    // Without a digest only an unfinished revision is touched, never one that has failed.
    const { recovered } = await unlockRelease(clients, run, release, '', scope.signal, { again });
    if (recovered !== undefined) settled.push(`${release.namespace}/${release.name}: ${recovered}`);
  }
  return { settled };
}

/** A Helm of this run that has lost its worker, and may have written nothing yet. */
async function isLeftAtWork(
  { helm }: Pick<Clients, 'helm'>,
  { runId, clusterUid }: RunRef,
  { namespace, name }: Release,
): Promise<boolean> {
  const process = await helm.alive(namespace, name, clusterUid);
  return process?.runId === runId && !(await hasLivingWorker(process));
}

/** A rollback bears the labels of the revision it goes back to: there the record of the process shows its owner. */
async function isLeftPending(
  { helm }: Pick<Clients, 'helm'>,
  runId: string,
  { namespace, name }: Release,
  revision: Revision | undefined,
): Promise<boolean> {
  if (revision?.status.startsWith('pending-') !== true) return false;
  return revision.labels[RELEASE_LABELS.run] === runId || (await helm.interrupted(namespace, name))?.runId === runId;
}
