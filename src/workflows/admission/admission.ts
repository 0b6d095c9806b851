/**
 * What an operation waits for before it does anything, and what people decide meanwhile. What waits is told in the
 * memo: that is seen without a worker, and in the history.
 */
import { condition, setHandler, upsertMemo } from '@temporalio/workflow';
import type { OperationAct, OperationWait } from '../../contract/deploy.ts';
import type { FreezeOverride } from '../../contract/freeze.ts';
import { overrideProblem } from '../../plan/admission/override.ts';
import { overrideFreeze } from '../messages.ts';
import { refusedUpdate } from './refused-update.ts';

export interface Admission {
  /** Decisions so far, in their order. */
  acts: readonly OperationAct[];
  /** Of the freeze; absent as long as nobody has overridden it. */
  override(): FreezeOverride | undefined;
  /** Something was done on it: it is on record from now on. */
  record(act: OperationAct): void;
  /**
   * Shown as waiting until `done`, or until `milliseconds` are over.
   * @returns whether it was done
   */
  wait(wait: OperationWait, done: () => boolean, milliseconds: number): Promise<boolean>;
  /** Nothing is waited for any more. */
  goesOn(): void;
}

/**
 * @param override as the operation was started with it
 * @param onWait told what it waits for from now on; undefined: for nothing any more
 */
export function createAdmission(
  override: FreezeOverride | undefined,
  onWait: (wait: OperationWait | undefined) => void,
): Admission {
  const acts: OperationAct[] = [];
  let overridden = override;
  let waits: OperationWait | undefined;
  setHandler(
    overrideFreeze,
    (request) => {
      overridden = request;
    },
    {
      validator: (request) => {
        refusedUpdate(overrideProblem(request, waits));
      },
    },
  );
  const tell = (wait: OperationWait | undefined): void => {
    if (wait?.step === waits?.step && wait?.reason === waits?.reason && wait?.until === waits?.until) return;
    waits = wait;
    upsertMemo({ waits: wait ?? null });
    onWait(wait);
  };
  return {
    acts,
    override: () => overridden,
    record: (act) => {
      acts.push(act);
    },
    wait: (wait, done, milliseconds) => {
      tell(wait);
      return condition(done, milliseconds);
    },
    goesOn: () => {
      tell(undefined);
    },
  };
}
