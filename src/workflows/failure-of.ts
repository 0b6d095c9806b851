/** What a caught error says to a person: the innermost cause that names its type. */
import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/workflow';
import type { ServiceFailure } from '../contract/deploy.ts';
import { FAILURES } from '../contract/failures.ts';

export function failureOf(error: unknown): ServiceFailure {
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) {
    if (error.cause !== undefined) {
      const inner = failureOf(error.cause);
      return error instanceof ActivityFailure && error.cause instanceof TimeoutFailure
        ? { type: inner.type, message: `${error.activityType} did not end in time: ${inner.message}` } : inner;
    }
  }
  if (error instanceof ApplicationFailure) return { type: error.type ?? FAILURES.unexpected, message: error.message };
  if (error instanceof Error) return { type: FAILURES.unexpected, message: error.message };
  return { type: FAILURES.unexpected, message: String(error) };
}
