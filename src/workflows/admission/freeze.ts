/** Waits for the end of a freeze, as the environment's file says; somebody may override it. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { FreezeVerdict } from '../../contract/admission/freeze.ts';
import { FAILURES } from '../../contract/failures.ts';
import { frozenText } from '../../plan/admission/words.ts';
import { reads } from '../activity-proxies.ts';
import { admissionOf, type StepCall, type StepEnd } from '../steps/call.ts';

/** The file may have been edited: it is read again so often. */
const LOOK_AGAIN_MILLISECONDS = 30 * 60_000;

export async function awaitFreezeEnd(call: StepCall): Promise<StepEnd> {
  const { run, step } = call;
  const admission = admissionOf(call);
  const began = admission.since(step.id);
  let waited = false;
  for (;;) {
    const verdict = await reads.checkFreeze.executeWithOptions({ summary: 'Is the environment frozen?' }, [run]);
    if (!verdict.frozen) return ended(waited, verdict);
    const override = admission.override();
    if (override) {
      const on = verdict.windows.join(', ');
      // It is looked at once more after it has waited.
      if (admission.acts.some((act) => act.act === 'override-freeze' && act.on === on)) return { waited };
      admission.record({ act: 'override-freeze', ...override, at: new Date().toISOString(), on });
      return { waited, notes: [`The freeze (${on}) was overridden by ${override.by}: ${override.reason}`] };
    }
    const left = verdict.waitSeconds * 1000 - (Date.now() - began);
    // A scheduled repair comes again by itself: it does not hold the lock meanwhile.
    if (verdict.onFrozen === 'refuse' || run.operation === 'repair' || left <= 0)
      throw ApplicationFailure.nonRetryable(
        `${run.environment} ${frozenText(verdict)}${waited ? `; it has waited for ${verdict.waitSeconds} s, which is all that freeze.waitSeconds allows` : ''}. Nothing was changed.`,
        FAILURES.frozen,
      );
    waited = true;
    const wait = {
      step: step.id,
      reason: `waits for the end of a freeze: ${run.environment} ${frozenText(verdict)}`,
      since: new Date(began).toISOString(),
      ...(verdict.until === undefined ? {} : { until: verdict.until }),
    };
    await admission.wait(wait, () => admission.override() !== undefined, untilNextLook(verdict, left));
  }
}

function ended(waited: boolean, { exception }: FreezeVerdict): StepEnd {
  return { waited, ...(exception === undefined ? {} : { notes: [`The freeze has an exception: ${exception}`] }) };
}

function untilNextLook({ until }: FreezeVerdict, left: number): number {
  const opens = until === undefined ? Infinity : Date.parse(until) - Date.now();
  // Clocks of worker and engine may differ by a little.
  return Math.max(1000, Math.min(opens, left, LOOK_AGAIN_MILLISECONDS));
}
