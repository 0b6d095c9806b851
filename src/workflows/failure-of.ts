/** What a caught error says to a person: the innermost cause that names its type. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { ServiceFailure } from '../contract/operations/deploy.ts';
import { FAILURES } from '../contract/failures.ts';

export function failureOf(error: unknown): ServiceFailure {
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) {
    if (error.cause !== undefined) {
      const inner = failureOf(error.cause);
      return error instanceof ActivityFailure && error.cause instanceof TimeoutFailure
        ? { type: inner.type, message: `${error.activityType} did not end in time: ${inner.message}` }
        : inner;
    }
  }
  if (error instanceof ApplicationFailure) return { type: error.type ?? FAILURES.unexpected, message: error.message };
  if (error instanceof Error) return { type: FAILURES.unexpected, message: error.message };
  return { type: FAILURES.unexpected, message: String(error) };
}

/** The result that a failed or cancelled operation carries in its failure. */
export function resultOf<T>(error: unknown): T | undefined {
  const cause = error instanceof ChildWorkflowFailure ? error.cause : error;
  const details = cause instanceof ApplicationFailure || cause instanceof CancelledFailure ? cause.details : undefined;
  return details?.[0] as T | undefined;
}
