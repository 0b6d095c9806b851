/** The time after which an operation ends in good order. */
import { ApplicationFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import { FAILURES } from '../contract/failures.ts';

/**
 * Cancels in good order when the time is up, and says so instead of "cancelled".
 * @param seconds undefined: it takes as long as it takes
 * @throws ApplicationFailure NotHealthyInTime
 */
export async function withDeadline(seconds: number | undefined, work: () => Promise<void>): Promise<void> {
  if (seconds === undefined) return work();
  try {
    await CancellationScope.withTimeout(seconds * 1000, work);
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
