/** The time after which an operation ends in good order. */
import { ApplicationFailure, CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import { FAILURES } from '../../contract/failures.ts';

/**
 * Cancels in good order when the time is up, and says so instead of "cancelled".
 * @param seconds undefined: it takes as long as it takes
 * @param standsStill while true, time does not count; absent: it always does
 * @throws ApplicationFailure NotHealthyInTime
 */
export async function withDeadline(
  seconds: number | undefined,
  work: () => Promise<void>,
  standsStill?: () => boolean,
): Promise<void> {
  if (seconds === undefined) return work();
  try {
    if (standsStill === undefined) await CancellationScope.withTimeout(seconds * 1000, work);
    else await withClock(seconds * 1000, work, standsStill);
  } catch (error) {
    if (isCancellation(error) && !CancellationScope.current().consideredCancelled) {
      throw ApplicationFailure.nonRetryable(
        `It was not done within its ${seconds} s and was stopped in good order`,
        FAILURES.notHealthyInTime,
      );
    }
    throw error;
  }
}

async function withClock(milliseconds: number, work: () => Promise<void>, standsStill: () => boolean): Promise<void> {
  const worked = new CancellationScope();
  const clock = new CancellationScope();
  const ticks = async (): Promise<void> => {
    for (let left = milliseconds; left > 0; ) {
      await condition(() => !standsStill());
      const since = Date.now();
      if (!(await condition(standsStill, left))) break;
      left -= Date.now() - since;
    }
    worked.cancel();
  };
  void clock.run(ticks).catch(() => undefined);
  try {
    await worked.run(work);
  } finally {
    clock.cancel();
  }
}
