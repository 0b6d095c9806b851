/** Steps once the outcome is known. None of them makes a failure of what has succeeded. */
import type { OperationResult } from '../../contract/operations/deploy.ts';
import { isNoop } from '../../plan/progress.ts';
import { writes, records, unlocking } from '../activity-proxies.ts';
import { failureOf } from '../failure-of.ts';
import { operationOf, type StepCall, type StepEnd } from './call.ts';

/**
 * A release that cannot be unlocked now is unlocked by the next operation, so a failure here does not delay the end of
 * this one.
 */
export async function unlockReleases(call: StepCall): Promise<StepEnd> {
  const releases = (operationOf(call).plan?.services ?? [])
    .flatMap(({ steps }) => steps)
    .filter(({ kind, action }) => kind === 'release' && !isNoop(action) && action !== 'verify')
    .map(({ namespace, name }) => ({ namespace, name }));
  await unlocking.settleReleases.executeWithOptions({ summary: 'No release is left half done' }, [
    { run: call.run, releases },
  ]);
  return {};
}

/** Where the schedule cannot be registered, a note in the result says that nobody looks for drift. */
export async function ensureSchedule({ run }: StepCall): Promise<StepEnd> {
  return noted(
    async () => {
      await records.ensureDriftSchedule.executeWithOptions({ summary: 'Schedule of drift runs' }, [run]);
      return {};
    },
    (why) =>
      `The schedule of drift runs could not be registered (${why}): what it was before goes on, and the next deployment tries again.`,
  );
}

/**
 * Also of an operation that found nothing to do: the version before may not have been recorded, or none was ever made.
 * One that cannot be written is written by the next deployment.
 */
export async function recordVersion(call: StepCall): Promise<StepEnd> {
  const { run } = call;
  const { operation, seconds, services, planDigest, toVersion, acts } = resultOf(call);
  const { requestedBy, promotedFrom } = operationOf(call).input;
  return noted(
    async () => ({
      result: await records.recordVersion.executeWithOptions({ summary: 'Platform version' }, [
        {
          run,
          operation,
          requestedBy,
          planDigest,
          seconds,
          services,
          ...(toVersion === undefined ? {} : { restores: toVersion }),
          ...(promotedFrom === undefined ? {} : { promotedFrom }),
          ...(acts ? { acts } : {}),
        },
      ]),
    }),
    (why) =>
      `No platform version was recorded (${why}). The next deployment records what is there, also when it finds nothing to change.`,
  );
}

/** The operation's own result matters more than its audit line, which the history holds as well. */
export async function recordResult(call: StepCall): Promise<StepEnd> {
  const { operation, planDigest, outcome, seconds, acts } = resultOf(call);
  const { requestedBy } = operationOf(call).input;
  await writes.recordResult.executeWithOptions({ summary: `Audit: ${outcome}` }, [
    { run: call.run, operation, requestedBy, planDigest, outcome, seconds, ...(acts ? { acts } : {}) },
  ]);
  return {};
}

async function noted(work: () => Promise<StepEnd>, text: (why: string) => string): Promise<StepEnd> {
  try {
    return await work();
  } catch (error) {
    return { notes: [text(failureOf(error).message)] };
  }
}

function resultOf(call: StepCall): OperationResult {
  const { result } = operationOf(call);
  if (result === undefined) throw new Error(`Step ${call.step.id} comes after the outcome, which is not known yet`);
  return result;
}
