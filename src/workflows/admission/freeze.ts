/** Waits for the end of a freeze, as the environment's file says; somebody may override it. */
import { ApplicationFailure, isCancellation, patched } from '@temporalio/workflow';
import type { FreezeVerdict } from '../../contract/admission/freeze.ts';
import { FAILURES } from '../../contract/failures.ts';
import { frozenText } from '../../plan/admission/words.ts';
import { reads } from '../activity-proxies.ts';
import { overrideRequest } from '../../plan/admission/override.ts';
import { failureOf } from '../failure-of.ts';
import { admissionOf, operationOf, type StepCall, type StepEnd } from '../steps/call.ts';
import { attestedOf } from './attested.ts';

/** The file may have been edited: it is read again so often. */
const LOOK_AGAIN_MILLISECONDS = 30 * 60_000;

export async function awaitFreezeEnd(call: StepCall): Promise<StepEnd> {
  const { run, step } = call;
  const admission = admissionOf(call);
  const began = admission.since(step.id);
  let waited = false;
  let unproved: string | undefined;
  for (;;) {
    const verdict = await reads.checkFreeze.executeWithOptions({ summary: 'Is the environment frozen?' }, [run]);
    if (!verdict.frozen) return ended(waited, verdict);
    unproved = (await proveOverride(call)) ?? unproved;
    const override = admission.override();
    if (override) {
      const on = verdict.windows.join(', ');
      // It is looked at once more after it has waited.
      if (admission.acts.some((act) => act.act === 'override-freeze' && act.on === on)) return { waited };
      const { by, reason } = override;
      admission.record({ act: 'override-freeze', by, reason, at: new Date().toISOString(), on });
      return { waited, notes: [`The freeze (${on}) was overridden by ${by}: ${reason}`] };
    }
    const left = verdict.waitSeconds * 1000 - (Date.now() - began);
    // A scheduled repair comes again by itself: it does not hold the lock meanwhile.
    const mayWait = verdict.onFrozen === 'wait' && run.operation !== 'repair';
    if (!mayWait || left <= 0)
      throw ApplicationFailure.nonRetryable(
        `${run.environment} ${frozenText(verdict)}${mayWait ? `; it has waited for ${verdict.waitSeconds} s, which is all that freeze.waitSeconds allows` : ''}${overrideText(unproved)}. Nothing was changed.`,
        FAILURES.frozen,
      );
    waited = true;
    const wait = {
      step: step.id,
      reason: `waits for the end of a freeze: ${run.environment} ${frozenText(verdict)}${overrideText(unproved)}`,
      since: new Date(began).toISOString(),
      ...(verdict.until === undefined ? {} : { until: verdict.until }),
    };
    await admission.wait(wait, () => admission.override() !== undefined, untilNextLook(verdict, left));
  }
}

/**
 * Whoever has started it with an override has to be who they say.
 * @returns why the override does not count; undefined where it does, or there is none
 */
async function proveOverride(call: StepCall): Promise<string | undefined> {
  const { run } = call;
  const admission = admissionOf(call);
  const override = admission.override();
  if (override === undefined || override.proved) return undefined;
  if (!patched('override-is-proved')) return undefined;
  const { attestation, reason } = override;
  let problem: string;
  if (attestation === undefined) problem = 'nothing proves who has asked for it';
  else
    try {
      const request = overrideRequest(run.operation ?? 'deploy', operationOf(call).input, reason);
      admission.proved((await attestedOf(run, attestation, request)).user);
      return undefined;
    } catch (error) {
      if (isCancellation(error)) throw error;
      problem = failureOf(error).message;
    }
  admission.proved(undefined);
  return problem;
}

function overrideText(unproved: string | undefined): string {
  return unproved === undefined ? '' : `; its override does not count: ${unproved}`;
}

function ended(waited: boolean, { exception }: FreezeVerdict): StepEnd {
  return { waited, ...(exception === undefined ? {} : { notes: [`The freeze has an exception: ${exception}`] }) };
}

function untilNextLook({ until }: FreezeVerdict, left: number): number {
  const opens = until === undefined ? Infinity : Date.parse(until) - Date.now();
  // Clocks of worker and engine may differ by a little.
  return Math.max(1000, Math.min(opens, left, LOOK_AGAIN_MILLISECONDS));
}
