/** A Job that has failed for good is in the way of its successor of the same name. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clients } from '../../clients/index.ts';
import {
  type KubernetesClient,
  KubernetesError,
  type KubernetesObject,
  paths,
  releaseOf,
} from '../../clients/kubernetes/index.ts';
import type { ApplyReleaseInput } from '../../contract/activities.ts';
import { isBetweenAttempts, jobHealth } from '../../plan/health/index.ts';
import { writeEvidence } from '../evidence/index.ts';
import type { Release } from './recover.ts';

/** Jobs of the release, as the API server has them now. */
export async function jobsOf(
  kubernetes: KubernetesClient,
  release: Release,
  signal?: AbortSignal,
): Promise<KubernetesObject[]> {
  const { items } = await kubernetes.list(
    paths.jobs(release.namespace),
    { labelSelector: 'app.kubernetes.io/managed-by=Helm' },
    signal,
  );
  return items.filter((job) => releaseOf(job) === release.name);
}

/**
 * It has failed for good. Or, where another try is asked for: nothing of it is at work, and its next attempt comes in
 * its own time, after minutes perhaps.
 */
export function isSpent(job: KubernetesObject, again = false): boolean {
  return jobHealth(job).status === 'failed' || (again && isBetweenAttempts(job));
}

/** Deletes Jobs, pods included, and waits until they are gone. */
export async function removeJobs(
  kubernetes: KubernetesClient,
  release: Release,
  jobs: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    jobs.map(async (job) => {
      const { name, uid, resourceVersion } = job.metadata;
      const path = paths.job(release.namespace, name);
      // One that has begun its next attempt meanwhile is left to it.
      const as = isBetweenAttempts(job) ? { resourceVersion } : {};
      try {
        await kubernetes.remove(path, { uid, ...as, propagation: 'Foreground' }, signal);
      } catch (error) {
        if (as.resourceVersion !== undefined && error instanceof KubernetesError && error.status === 409) return;
        throw error;
      }
      while ((await kubernetes.get(path, signal))?.metadata.uid === uid) await sleep(100, undefined, { signal });
    }),
  );
}

/** What failed is written down before it is removed. */
export async function replaceFailedJobs(
  clients: Clients,
  { run, service, step, again }: ApplyReleaseInput,
  signal: AbortSignal,
): Promise<void> {
  const release = { namespace: step.namespace, name: step.name };
  const jobs = await jobsOf(clients.kubernetes, release, signal);
  const failed = jobs.filter((job) => isSpent(job, again));
  if (step.rerun) {
    // What has completed would be left as it is, so that it never runs again.
    const completed = jobs.filter((job) => jobHealth(job).status === 'healthy');
    await removeJobs(clients.kubernetes, release, completed, signal);
  }
  if (failed.length === 0) return;
  await writeEvidence(
    clients,
    {
      runId: run.runId,
      title: `${service}-before-retry`,
      releases: [release],
      reason: `Job ${failed.map(({ metadata }) => metadata.name).join(', ')} had failed and is replaced`,
    },
    signal,
  );
  await removeJobs(clients.kubernetes, release, failed, signal);
}
