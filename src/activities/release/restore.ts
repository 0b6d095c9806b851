/**
 * A release applied once more from Helm's own record: an earlier revision, or the newest again. Neither chart nor
 * values of
 * the checkout are looked at, so that what comes back is exactly what was there.
 */
import type { Clients } from '../../clients/index.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import type { ApplyReleaseInput } from '../../contract/activities.ts';
import { FAILURES } from '../../contract/failures.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import { ownerLabel } from '../../process/owner.ts';
import { DeployError } from '../failures.ts';
import { newestRevision, type Revision, revisionsOf } from './revisions.ts';

/**
 * Whether an attempt before this one came to its end: the revision it left is newer than the one it goes back to, and
 * of the
 * same content. Nobody else writes revisions while the run holds the lock.
 */
export function isRestored({ step }: ApplyReleaseInput, found: Revision | undefined): boolean {
  return (
    found?.status === 'deployed' &&
    found.labels[RELEASE_LABELS.digest] === step.digest &&
    found.revision > (step.toRevision ?? Infinity)
  );
}

/** @throws DeployError PlanOutdated when Helm no longer has the revision, or another content under its number */
export async function assertRestorable(
  clients: Pick<Clients, 'kubernetes'>,
  { step }: ApplyReleaseInput,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, toRevision } = step;
  const target = (await revisionsOf(clients.kubernetes, namespace, name, signal)).find(
    ({ revision }) => revision === toRevision,
  );
  if (target === undefined)
    throw new DeployError(
      FAILURES.planOutdated,
      `Helm's record of revision ${toRevision} of ${namespace}/${name} is gone, so there is nothing to go back to. Nothing was changed; deploy instead.`,
    );
  const digest = target.labels[RELEASE_LABELS.digest] ?? 'unknown';
  if (digest !== step.digest)
    throw new DeployError(
      FAILURES.planOutdated,
      `Revision ${toRevision} of ${namespace}/${name} was planned as ${step.digest}, but is ${digest}. Nothing was changed; plan again.`,
    );
}

/**
 * @returns number of the new revision, which bears the labels of this run. Also one that failed does, so that the next
 * attempt knows it.
 */
export async function restore(
  clients: Pick<Clients, 'kubernetes' | 'helm' | 'config'>,
  input: ApplyReleaseInput,
  { signal, onTurn }: { signal: AbortSignal; onTurn: () => Promise<void> },
): Promise<number> {
  const { run, step, priority } = input;
  try {
    await clients.helm.rollback({
      namespace: step.namespace,
      release: step.name,
      revision: step.toRevision ?? 0,
      runId: run.runId,
      priority,
      signal,
      onTurn,
    });
  } catch (error) {
    // Also when this was cancelled: Helm has ended by now. What went wrong matters more than whether this succeeds.
    await claim(clients, input).catch(() => undefined);
    throw error;
  }
  return claim(clients, input, signal);
}

/** Helm has copied the labels of the revision gone back to. @returns number of the newest revision */
export async function claim(
  clients: Pick<Clients, 'kubernetes' | 'config'>,
  { run, service, step }: ApplyReleaseInput,
  signal?: AbortSignal,
): Promise<number> {
  const newest = await newestRevision(clients.kubernetes, step.namespace, step.name, signal);
  if (!newest || newest.revision <= (step.toRevision ?? Infinity))
    throw new DeployError(
      FAILURES.unexpected,
      `helm rollback ${step.name} ${step.toRevision} in ${step.namespace} left no new revision`,
    );
  if (newest.labels[RELEASE_LABELS.run] !== run.runId) {
    await clients.kubernetes.label(
      paths.secret(newest.secret.namespace, newest.secret.name),
      {
        [RELEASE_LABELS.run]: run.runId,
        [RELEASE_LABELS.service]: service,
        [RELEASE_LABELS.owner]: await ownerLabel(clients.config.pod?.uid),
      },
      signal,
    );
  }
  return newest.revision;
}
