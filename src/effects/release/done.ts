/** Whether a release is already what is wanted, whoever has brought it there. */
import type { Clients } from '../../clients/index.ts';
import type { ApplyReleaseInput } from '../../contract/activities.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import { isSpent, jobsOf } from './jobs.ts';
import { type JudgedRevision, judgedRevisionsOf } from './provenance.ts';
import { claim, isRestored } from './restore.ts';

/**
 * The cluster holds exactly this already. A `retry` was ordered because what is there does not work, unless this very
 * run made it.
 */
export function isDone({ run, step }: ApplyReleaseInput, found: JudgedRevision | undefined): boolean {
  // Helm copies labels to the next revision, so an upgrade that somebody else made carries ours, too.
  if (found?.provenance === 'foreign') return false;
  if (found?.status !== 'deployed' || found.labels[RELEASE_LABELS.digest] !== step.digest) return false;
  return step.action !== 'retry' || found.labels[RELEASE_LABELS.run] === run.runId;
}

/**
 * What a Helm that had lost its worker has made, where that is all that is wanted here.
 * @returns the revision
 */
export async function finishedBefore(
  clients: Clients,
  input: ApplyReleaseInput,
  signal: AbortSignal,
): Promise<number | undefined> {
  const found = (await judgedRevisionsOf(clients, input.step, signal)).at(-1);
  if (input.step.toRevision !== undefined) return isRestored(input, found) ? claim(clients, input) : undefined;
  return isDone(input, found) ? found?.revision : undefined;
}

/**
 * It is as planned, and of no use: somebody has asked for another try, and its Job has failed, would try again only in
 * its own time, or is not there, since an attempt before this one has removed it.
 */
export async function hasToRunAgain(
  { kubernetes }: Pick<Clients, 'kubernetes'>,
  { step, again }: ApplyReleaseInput,
  signal: AbortSignal,
): Promise<boolean> {
  if (again === undefined || !step.job) return false;
  const jobs = await jobsOf(kubernetes, step, signal);
  return jobs.length === 0 || jobs.some((job) => isSpent(job, again));
}
